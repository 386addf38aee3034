/** Leads a request to its verb's handler, and reads arguments that came as JSON from another process. */
import { didYouMean } from "../config/suggest.ts";
import { ControlError } from "./protocol.ts";
import type { ControlHandler, ControlRequest } from "./server.ts";
import type { VerbArgs, VerbName, VerbResult } from "./verbs.ts";

/** One handler for every verb. */
export type VerbHandlers = {
  readonly [V in VerbName]: (
    args: Arguments<V>,
    request: ControlRequest,
  ) => VerbResult<V> | Promise<VerbResult<V>>;
};

/** The handler of a control server over one handler a verb. */
export function dispatchVerbs(handlers: VerbHandlers): ControlHandler {
  return async (request) => {
    if (!Object.hasOwn(handlers, request.verb)) {
      throw new ControlError("CONTROL_UNKNOWN_VERB", `the server does not know the verb "${request.verb}"`, {
        advice: didYouMean(request.verb, Object.keys(handlers)),
      });
    }
    const handler = handlers[request.verb as VerbName] as (
      args: Arguments<VerbName>,
      request: ControlRequest,
    ) => unknown;
    return handler(new Arguments(request.args), request);
  };
}

/** The arguments of a verb, each read with its type. All throw ControlError `CONTROL_ARGUMENT`. */
export class Arguments<V extends VerbName> {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  text(name: keyof VerbArgs<V> & string): string {
    const value = this.optionalText(name);
    if (value === undefined) throw new ControlError("CONTROL_ARGUMENT", `the argument "${name}" is missing`);
    return value;
  }

  optionalText(name: keyof VerbArgs<V> & string): string | undefined {
    const value = this.#values[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "string" || value.length > 4096) {
      throw new ControlError("CONTROL_ARGUMENT", `the argument "${name}" must be text`);
    }
    return value;
  }

  /** A whole number, 0 or more. */
  optionalNumber(name: keyof VerbArgs<V> & string): number | undefined {
    const value = this.#values[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
      throw new ControlError("CONTROL_ARGUMENT", `the argument "${name}" must be a whole number`);
    }
    return value;
  }

  flag(name: keyof VerbArgs<V> & string): boolean {
    return this.#values[name] === true;
  }
}
