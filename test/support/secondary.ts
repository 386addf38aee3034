/** What all secondaries in tests have in common: a folder of their own, a free port, a process that is ended by its id. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Where } from "./clients.ts";
import { axfr, dig, serialOf } from "./clients.ts";
import { Daemon, eventually, findProgram } from "./process.ts";

/** A TSIG key as text. */
export interface KeyText {
  readonly name: string;
  /** `hmac-sha256` … */
  readonly algorithm: string;
  /** Base64. */
  readonly secret: string;
}

/** A key in the form that BIND and Rollcall read. */
export function keyClause({ name, algorithm, secret }: KeyText): string {
  return `key "${name}" { algorithm ${algorithm}; secret "${secret}"; };\n`;
}

/** A zone that a secondary fetches. */
export interface SecondaryZone {
  /** Without the final dot. */
  readonly name: string;
  /** Signs transfers and must sign NOTIFY. */
  readonly key?: KeyText;
  /** Ask for IXFR over UDP, where the program can. */
  readonly udp?: boolean;
}

export interface SecondaryOptions {
  readonly primary: { readonly address: string; readonly port: number };
  readonly zones: readonly SecondaryZone[];
  /** Where it listens, and from where it fetches: 127.0.0.1 by default. */
  readonly address?: string;
  readonly port: number;
}

/** How to run one kind of secondary. */
export interface SecondaryProgram {
  readonly name: string;
  /** Whether it keeps the case of names; the others fold it. */
  readonly keepsCase: boolean;
  /** Whether it can ask for IXFR over UDP. */
  readonly asksOverUdp: boolean;
  /** Whether it may serve a zone that is not on its disk yet. */
  readonly savesLate: boolean;
  /** What it says when it throws a zone away of itself, and asks for all of it again. */
  readonly restarting?: RegExp;
  /** Writes its configuration into the folder. @returns its arguments */
  readonly configure: (directory: string, options: SecondaryOptions) => string[];
}

export class Secondary {
  readonly directory: string;
  readonly program: SecondaryProgram;
  readonly address: string;
  readonly port: number;
  readonly #path: string;
  readonly #args: readonly string[];
  #daemon: Daemon | undefined;

  private constructor(program: SecondaryProgram, options: SecondaryOptions) {
    this.program = program;
    this.directory = mkdtempSync(join(tmpdir(), `rollcall-${program.name}-`));
    this.address = options.address ?? "127.0.0.1";
    this.port = options.port;
    this.#path = unconfined(findProgram(program.name)!, this.directory);
    this.#args = program.configure(this.directory, options);
  }

  /** Writes its files into a new folder, and starts it. */
  static async start(program: SecondaryProgram, options: SecondaryOptions): Promise<Secondary> {
    const secondary = new Secondary(program, options);
    try {
      await secondary.up();
    } catch (error) {
      await secondary.remove();
      throw error;
    }
    return secondary;
  }

  /** Everything it has said since it was last started. */
  get output(): string {
    return this.#daemon?.output ?? "";
  }

  /** How often it has asked for a whole zone of itself since it was last started. */
  get restarts(): number {
    const { restarting } = this.program;
    return restarting === undefined
      ? 0
      : this.output.split("\n").filter((line) => restarting.test(line)).length;
  }

  /** Starts the process and waits until it answers. */
  async up(): Promise<void> {
    const daemon = new Daemon(this.program.name, this.#path, this.#args, { cwd: this.directory });
    this.#daemon = daemon;
    let ended = false;
    void daemon.ended.then(() => (ended = true));
    // Any answer will do: of a zone it has not fetched yet it says SERVFAIL.
    await eventually(
      `${this.program.name} answers`,
      async () => ended || (await dig(this, ".", "SOA", "+tries=1", "+time=1")).status !== "",
      (isThere) => isThere,
    );
    if (ended) throw new Error(`${this.program.name} has ended:\n${daemon.output}`);
  }

  /** Resolves when what it serves of the zone will be there after a restart. */
  async saved(zone: string, serial: number): Promise<void> {
    if (!this.program.savesLate) return;
    const file = join(this.directory, `${zone}.zone`);
    await eventually(
      `${this.program.name} has saved ${zone}`,
      () => Promise.resolve(existsSync(file) ? readFileSync(file, "utf8") : ""),
      (text) => new RegExp(`\\sSOA\\s+\\S+\\s+\\S+[\\s(]+${serial}\\s`).test(text),
    );
  }

  /** Ends the process; its folder stays, so that {@link up} can start it again. */
  async down(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.#daemon?.stop(signal);
  }

  /** Ends the process and removes its folder. */
  async remove(): Promise<void> {
    await this.down();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Resolves when it serves this serial. */
  async reaches(zone: string, serial: number, timeout?: number): Promise<void> {
    await eventually(
      `${this.program.name} serves ${zone} with serial ${serial}`,
      () => serialOf(this, zone),
      (answer) => answer === serial,
      timeout,
    ).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}; its output:\n${this.output}`);
    });
  }
}

/** Types whose data hold names. */
const HOLDS_NAMES = new Set(
  "NS MD MF CNAME SOA MB MG MR PTR MINFO MX RP AFSDB RT PX SRV KX DNAME NXT NAPTR SIG RRSIG NSEC SVCB HTTPS".split(
    " ",
  ),
);

/**
 * Every record of a zone at the primary or a secondary by AXFR, as sorted lines to be compared whole: those of a program
 * that folds the case of names with names in lower case.
 */
export async function zoneLines(
  at: Where,
  zone: string,
  keepsCase: boolean,
  ...options: string[]
): Promise<string[]> {
  const lines = await axfr(at, zone, ...options);
  return lines
    .flatMap((line) => {
      const [owner, ttl, rrClass, type, ...data] = line.split(" ");
      if (type === "TSIG") return [];
      if (keepsCase) return [line];
      const text = data.join(" ");
      return [
        [owner!.toLowerCase(), ttl, rrClass, type, HOLDS_NAMES.has(type!) ? text.toLowerCase() : text].join(
          " ",
        ),
      ];
    })
    .toSorted();
}

/**
 * A program where no AppArmor profile holds it to the folders of a system service: profiles go by path, so a copy has
 * none. Elsewhere the program itself.
 */
export function unconfined(program: string, directory: string): string {
  const enabled = "/sys/module/apparmor/parameters/enabled";
  if (!existsSync(enabled) || !readFileSync(enabled, "utf8").startsWith("Y")) return program;
  const copy = join(directory, "bin", basename(program));
  if (existsSync(copy)) return copy;
  mkdirSync(join(directory, "bin"), { recursive: true });
  copyFileSync(program, copy);
  return copy;
}

/** Writes a file of a secondary. @returns its path */
export function writeIn(directory: string, name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/** The distinct keys of the zones. */
export function keysOf(zones: readonly SecondaryZone[]): KeyText[] {
  return [
    ...new Map(zones.flatMap(({ key }) => (key === undefined ? [] : [[key.name, key] as const]))).values(),
  ];
}
