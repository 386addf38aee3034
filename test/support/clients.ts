/** The real update and query programs, run as their users run them, and what they print read into values. */
import { run } from "./process.ts";
import type { Finished } from "./process.ts";

/** Where a server is to be found. */
export interface Where {
  readonly port: number;
  /** Without it 127.0.0.1. */
  readonly address?: string;
}

/** What dig or kdig printed of one answer. */
export interface Printed {
  /** The header's status, extended RCODEs included: `NOERROR`, `NXDOMAIN`, `BADVERS`; empty where no answer came. */
  readonly status: string;
  /** As printed: `qr`, `aa`, … */
  readonly flags: readonly string[];
  /** Records as `OWNER TTL CLASS TYPE RDATA`, single blanks between. */
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
  /** Extended DNS Errors as the program words them. */
  readonly ede: readonly string[];
  readonly text: string;
  readonly code: number | null;
}

/** One question by dig; `args` as its manual has them: `fs1.smb.example`, `A`, `+tcp`, `-y`, … */
export function dig(where: Where, ...args: string[]): Promise<Printed> {
  return ask("dig", where, args);
}

/** One question by kdig. */
export function kdig(where: Where, ...args: string[]): Promise<Printed> {
  return ask("kdig", where, args);
}

async function ask(
  program: string,
  { address = "127.0.0.1", port }: Where,
  args: string[],
): Promise<Printed> {
  const patience = args.some((arg) => arg.startsWith("+retry") || arg.startsWith("+tries"))
    ? []
    : ["+retry=0", program === "dig" ? "+timeout=10" : "+time=10"];
  const { stdout, stderr, code } = await run(program, [
    `@${address}`,
    "-p",
    String(port),
    ...patience,
    ...args,
  ]);
  return readPrinted(stdout + stderr, code);
}

/** Reads what dig and kdig print in their long form. */
function readPrinted(text: string, code: number | null): Printed {
  const sections: Record<string, string[]> = {};
  let section: string[] | undefined;
  const ede: string[] = [];
  for (const line of text.split("\n")) {
    const heading = /^;; (\w+) (?:PSEUDO)?SECTION/i.exec(line);
    if (heading !== null) section = sections[heading[1]!.toUpperCase()] = [];
    else if (line === "" || line.startsWith(";;")) section = undefined;
    else if (!line.startsWith(";")) section?.push(line.replaceAll(/\s+/g, " ").trim());
    const error = /^;;? *EDE: *(.*)$/.exec(line);
    if (error !== null) ede.push(error[1]!);
  }
  return {
    status: /status: (\w+)/.exec(text)?.[1] ?? "",
    flags: /^;; flags: ([a-z ]*);/im.exec(text)?.[1]?.trim().toLowerCase().split(" ") ?? [],
    answer: sections["ANSWER"] ?? [],
    authority: sections["AUTHORITY"] ?? [],
    additional: sections["ADDITIONAL"] ?? [],
    ede,
    text,
    code,
  };
}

/** Every record of a zone by `dig AXFR`, sorted, the SOA once. @throws where the transfer fails */
export async function axfr(where: Where, zone: string, ...args: string[]): Promise<string[]> {
  const { address = "127.0.0.1", port } = where;
  const options = ["+noall", "+answer", "+onesoa", "+retry=0", "+time=20"];
  const { stdout, stderr } = await run("dig", [
    `@${address}`,
    "-p",
    String(port),
    zone,
    "AXFR",
    ...options,
    ...args,
  ]);
  const lines = stdout.split("\n").filter((line) => line !== "");
  const records = lines.filter((line) => !line.startsWith(";"));
  const complaint = lines.find(
    (line) => line.startsWith(";") && !line.startsWith("; <<>>") && !line.startsWith(";; global"),
  );
  if (records.length === 0 || complaint !== undefined)
    throw new Error(`AXFR of ${zone} failed: ${stdout}${stderr}`);
  return records.map((line) => line.replaceAll(/\s+/g, " ")).toSorted();
}

/** The serial of a zone, by dig. */
export async function serialOf(where: Where, zone: string): Promise<number> {
  const { answer } = await dig(where, zone, "SOA");
  return Number(answer[0]?.split(" ")[6]);
}

/** What came of a run of nsupdate or knsupdate. */
export interface Updated extends Finished {
  /** What each `send` that failed was told: `REFUSED`, `NXRRSET`, `NOTAUTH(BADKEY)` …; empty where all went well. */
  readonly failures: readonly string[];
  /** Both outputs. */
  readonly text: string;
}

/**
 * Runs nsupdate on commands, to which `server` is put in front and `send` behind where they have none.
 * @param args as its manual has them: `-k`, `-y`, `-v`, `-d` …
 */
export async function nsupdate(
  where: Where,
  commands: readonly string[],
  ...args: string[]
): Promise<Updated> {
  const finished = await run("nsupdate", args, { input: script(where, commands), timeout: 60_000 });
  const text = finished.stdout + finished.stderr;
  const failures = Array.from(text.matchAll(/^update failed: (\S+)$/gm), ([, rcode]) => rcode!);
  return { ...finished, text, failures };
}

/** {@link nsupdate} with Knot's program. It answers a refusal with one line that names the RCODE. */
export async function knsupdate(
  where: Where,
  commands: readonly string[],
  ...args: string[]
): Promise<Updated> {
  const finished = await run("knsupdate", args, { input: script(where, commands), timeout: 60_000 });
  const text = finished.stdout + finished.stderr;
  const failures = Array.from(text.matchAll(/update failed with error '([^']*)'/g), ([, rcode]) => rcode!);
  if (failures.length === 0 && finished.code !== 0) failures.push(finished.stderr.trim());
  return { ...finished, text, failures };
}

function script({ address = "127.0.0.1", port }: Where, commands: readonly string[]): string {
  const send = commands.includes("send") ? [] : ["send"];
  return [`server ${address} ${port}`, ...commands, ...send, "quit", ""].join("\n");
}
