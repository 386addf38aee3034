/** What can be wrong with an update rule as a whole, each of its values being right. */
import { ownName } from "../auth/own-name.ts";
import { SOURCE_TYPES } from "../auth/source-scope.ts";
import type { UpdateRule } from "../auth/update-rule.ts";
import { isForUnsigned, shortName, takesUdp } from "../auth/update-rule.ts";
import { RrType, typeToText } from "../wire/iana/type.ts";
import type { Name } from "../wire/name.ts";
import { isReverseApex } from "../wire/reverse.ts";
import { Mistake } from "./mistake.ts";

export interface RuleMistake {
  /** The key that it stands at; undefined: the rule. */
  readonly key?: keyof UpdateRule;
  readonly severity: "error" | "warning";
  readonly mistake: Mistake;
}

/** The mistakes of one rule of the zone at `apex`. */
export function ruleMistakes(rule: UpdateRule, apex: Name): RuleMistake[] {
  const mistakes: RuleMistake[] = [];
  const error = (key: keyof UpdateRule, message: string, advice: string): void => {
    mistakes.push({ key, severity: "error", mistake: new Mistake("CONFIG_RULE", message, advice) });
  };
  const { key, principal, net, scope, types, allow } = rule;
  const isSelf = scope === "self" || scope === "self-sub";
  const namesSomebody = key !== undefined || principal !== undefined || net !== undefined || isSelf;
  if (allow && !namesSomebody) {
    const message = "this rule names nobody whom it could allow anything";
    const advice = `Add key = "…", or net = "…" for unsigned updates; net = "0.0.0.0/0" is everybody over IPv4.`;
    mistakes.push({ severity: "error", mistake: new Mistake("CONFIG_RULE", message, advice) });
  }
  if (!allow && scope !== undefined) {
    error(
      "scope",
      "a rule that forbids has no scope",
      "Leave scope out, or allow by a scope and forbid the rest.",
    );
  }
  if (!allow && rule.udp === false) {
    error("udp", "a rule that forbids must hold over UDP too", "Leave udp out.");
  }
  for (const option of ["own", "static"] as const) {
    if (allow || rule[option] !== true) continue;
    error(
      option,
      `${option} says nothing in a rule that forbids`,
      "Leave it out: it is for rules that allow.",
    );
  }
  if (rule.replace !== undefined && scope !== "source") {
    error(
      "replace",
      `replace belongs to scope = "source"`,
      "Leave it out: any other rule may replace addresses.",
    );
  }
  const foreign = (types ?? []).filter((type) => !SOURCE_TYPES.includes(type));
  if (scope === "source" && foreign.length > 0) {
    const message = `scope = "source" is about addresses, not about ${foreign.map(typeToText).join(", ")}`;
    error("types", message, "Name A, AAAA or PTR, and write another rule for other types.");
  }
  if (isSelf && key !== undefined && ownName({ address: "", transport: "tcp", key }, apex) === undefined) {
    const message = `the key ${shortName(key)} is not named like a host of ${shortName(apex)}, so the rule could never match`;
    error(
      "key",
      message,
      `Make a key that is named like the host: rollcall key generate HOST.${shortName(apex)}`,
    );
  }
  if (scope === "source" && mistakes.length === 0 && sharesNames(rule, apex)) {
    const message =
      "hosts can add their addresses to each other's names under this rule, and so get a share of what is meant for others";
    const advice =
      "Write own = true: a name is whose who registered it first. Or own = false where names are to be shared.";
    mistakes.push({
      key: "scope",
      severity: "warning",
      mistake: new Mistake("CONFIG_SHARED_NAMES", message, advice),
    });
  }
  // A scope says what it is for, and its default is a part of that.
  if (isForUnsigned(rule) && scope === undefined && rule.udp === undefined && !takesUdp(rule)) {
    const message = "this rule takes unsigned updates over TCP only, and Windows hosts send them over UDP";
    const advice = `Write udp = true where forged packets from ${net!.text} are kept out, or udp = false where TCP is meant.`;
    mistakes.push({
      key: "net",
      severity: "warning",
      mistake: new Mistake("CONFIG_UNSIGNED_UDP", message, advice),
    });
  }
  return mistakes;
}

/** Whether a rule of `scope = "source"` lets several hosts put addresses at one name, and does not say that they shall. */
function sharesNames({ key, names, types, own }: UpdateRule, apex: Name): boolean {
  if (own !== undefined || key !== undefined || isReverseApex(apex)) return false;
  const isAboutAddresses = types === undefined || types.some((type) => type !== RrType.PTR);
  return isAboutAddresses && (names === undefined || names.some(({ below }) => below));
}
