/**
 * The operator's mistakes: what is wrong in a configuration, a key file or a zone file, where, and what to do about it.
 * Every code is listed in docs/errors.md; a test holds the two lists together.
 */

/** The codes of configuration mistakes, with what each means. */
const CONFIG_CODES = {
  CONFIG_READ: "The configuration file cannot be read.",
  CONFIG_SYNTAX: "The configuration file is not valid TOML.",
  CONFIG_UNKNOWN_KEY: "A key or section that Rollcall does not know.",
  CONFIG_MISSING: "A key that must be there is not.",
  CONFIG_TYPE: "A value of the wrong type, e.g. a number where text was expected.",
  CONFIG_VALUE: "A value outside what the key allows.",
  CONFIG_ADDRESS: "Not a numeric address with an optional port.",
  CONFIG_NETWORK: "Not a network in CIDR form.",
  CONFIG_NAME: "Not a domain name, or not a usable pattern of owner names.",
  CONFIG_RECORD_TYPE: "Not a record type that an update rule can name.",
  CONFIG_DURATION: "Not a duration such as 30s or 7d.",
  CONFIG_SIZE: "Not a size such as 64MiB.",
  CONFIG_TIME: "Not a time of day such as 03:00.",
  CONFIG_DUPLICATE: "The same zone, listening address or secondary twice.",
  CONFIG_DATA: "The data directory cannot be used.",
  CONFIG_KEY_FILE: "A key file cannot be read.",
  CONFIG_KEY_MODE: "A key file that others than its owner may read.",
  CONFIG_KEY_UNKNOWN: "A rule or secondary names a key that no key file holds.",
  CONFIG_RULE: "A rule that names nobody, or whose parts contradict each other.",
  CONFIG_UNSIGNED_UDP:
    "A rule for unsigned updates that does not say whether it is for UDP, and so is for TCP only (a warning).",
  CONFIG_SHARED_NAMES:
    'A rule of scope = "source" by which hosts can add their addresses to each other\'s names (a warning).',
  CONFIG_ZONE_FILE: "A zone file cannot be read.",
  CONFIG_NETBIOS:
    "[netbios] names what no zone of the configuration holds, is for everybody, or feeds a zone that takes no updates.",
  CONFIG_FORWARD: "A forward that nothing would go by, that would lead back here, or that is for everybody.",
  CONFIG_KEYTAB:
    "A keytab that cannot be read, or has no key that may be used; a warning where it has only weak ones, or none of DNS/.",
  CONFIG_PRINCIPAL: "Not a Kerberos principal, or not a usable pattern of them.",
  CONFIG_GSS: "A rule for a principal, and no [gss] that could prove one.",
  CONFIG_PTR: "A zone whose reverse records have no zone to be in (a warning).",
  CONFIG_NO_ZONES: "A configuration without zones (a warning).",
} as const;

export type ConfigCode = keyof typeof CONFIG_CODES;

/** One mistake, in a shape shared by configuration, key files and zone files. */
export interface Problem {
  /** A warning does not stop anything. */
  readonly severity: "error" | "warning";
  /** Stable, upper case; looked up in docs/errors.md. */
  readonly code: string;
  readonly file: string;
  /** From 1; undefined where the file as a whole is meant. */
  readonly line?: number | undefined;
  /** From 1. */
  readonly column?: number | undefined;
  /** What is wrong and what was expected, one sentence. */
  readonly message: string;
  /** What to do, one sentence. */
  readonly advice?: string | undefined;
}

/** A mistake that `loadConfig` found: its own codes, or those of a key file. */
export type ConfigProblem = Problem;

/** Whether any of them is more than a warning. */
export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === "error");
}

/** `file:line:column: severity: message [CODE]`, the form editors can jump by, and the advice indented below. */
export function problemToText(problem: Problem): string {
  let where = problem.file;
  if (problem.line !== undefined) where += `:${problem.line}`;
  if (problem.line !== undefined && problem.column !== undefined) where += `:${problem.column}`;
  const text = `${where}: ${problem.severity}: ${problem.message} [${problem.code}]`;
  return problem.advice === undefined ? text : `${text}\n    ${problem.advice}`;
}
