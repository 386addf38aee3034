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

/** The codes of refusals over the control socket, with what each means. */
export const CONTROL_CODES = {
  CONTROL_UNREACHABLE: "No server answers on the control socket.",
  CONTROL_PROTOCOL: "The two ends do not understand each other.",
  CONTROL_IN_USE: "Another server already listens on the control socket.",
  CONTROL_BUSY: "Too many control connections at once.",
  CONTROL_UNKNOWN_VERB: "The server does not know the verb.",
  CONTROL_ARGUMENT: "An argument of a verb is missing or makes no sense.",
  CONTROL_TOO_LARGE: "An upload beyond the limit.",
  CONTROL_INTERNAL: "The server failed in a way that is its own fault.",
  ZONE_UNKNOWN: "The server has no such zone.",
  ZONE_NOT_SERVED: "The zone is in the store but not in the configuration, so it cannot be changed.",
  ZONE_PROBLEMS: "A zone's records have errors, and nothing was changed.",
  ZONE_CHANGED: "The zone changed after the difference was shown.",
  ZONE_LIMIT: "The records exceed a limit of the configuration.",
  ZONE_NOT_AGEING: "The zone's records do not age.",
  ZONE_NO_RECORDS: "The zone has no such records.",
  ZONE_COMMIT: "The store did not take the change.",
  HISTORY_UNREACHABLE: "The journal does not reach back to that serial or time.",
} as const;

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
