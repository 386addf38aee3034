/**
 * What goes over the control socket: JSON, one value a line, UTF-8.
 *
 *     server  {"control":1,"version":"0.1.0"}                       on connecting
 *     client  {"verb":"zone.import","args":{…}}                     one request a connection
 *     client  {"upload":"…"} …  {"end":true}                        where the verb takes an upload
 *     server  {"progress":{…}} …  {"data":…} …                      any number of either
 *     server  {"ok":true,"result":{…}}                              or
 *     server  {"ok":false,"error":{"code":"…","message":"…"}}       and closes
 */
import type { Problem } from "../config/problem.ts";

/** Raised when a line changes its meaning. Both ends refuse any other number. */
export const CONTROL_PROTOCOL = 1;

/** Longest line the server accepts, in octets. */
export const MAX_REQUEST_LINE: number = 1024 * 1024;

/** Longest line the client accepts, in octets: a server may have thousands of zones to tell of. */
export const MAX_REPLY_LINE: number = 64 * 1024 * 1024;

/** A refusal or failure that the other end can show to its operator. */
export class ControlError extends Error {
  override readonly name = "ControlError";
  readonly code: string;
  readonly advice: string | undefined;
  readonly problems: readonly Problem[];
  constructor(
    code: string,
    message: string,
    options: { advice?: string | undefined; problems?: readonly Problem[] } = {},
  ) {
    super(message);
    this.code = code;
    this.advice = options.advice;
    this.problems = options.problems ?? [];
  }

  toJSON(): { code: string; message: string; advice?: string; problems?: readonly Problem[] } {
    return {
      code: this.code,
      message: this.message,
      ...(this.advice === undefined ? {} : { advice: this.advice }),
      ...(this.problems.length === 0 ? {} : { problems: this.problems }),
    };
  }
}

/** A line as an object. @throws ControlError `CONTROL_PROTOCOL` where it is anything else */
export function parseLine(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ControlError(
      "CONTROL_PROTOCOL",
      "a line that is not a JSON object came over the control socket",
    );
  }
  return value as Record<string, unknown>;
}

/** The refusal in an `error` field, whatever the other end put there. */
export function errorFromJson(value: unknown): ControlError {
  const fields = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const { code, message, advice, problems } = fields;
  return new ControlError(
    typeof code === "string" ? code : "CONTROL_PROTOCOL",
    typeof message === "string" ? message : "the server refused and did not say why",
    {
      advice: typeof advice === "string" ? advice : undefined,
      problems: Array.isArray(problems) ? (problems as Problem[]) : [],
    },
  );
}
