/** One server's turn in one round: set up in a folder of its own, measured, taken away. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { TsigKey } from "../../src/auth/tsig/key.ts";
import { RrClass } from "../../src/wire/iana/class.ts";
import { Rcode } from "../../src/wire/iana/code.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage, Flag } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import { soaSerial } from "../../src/wire/rdata/soa.ts";
import type { Random } from "../support/mutate.ts";
import { eventually } from "../support/process.ts";
import { freePort } from "../support/secondary.ts";
import { askUdp, UdpClient } from "../support/sockets.ts";
import { DelayMeter, NotifyListener } from "./delay.ts";
import type { Delay } from "./delay.ts";
import { CLIENT_CORE, dnsperf } from "./dnsperf.ts";
import type { DnsperfResult } from "./dnsperf.ts";
import type { Durations } from "./options.ts";
import { PinnedProgram, SERVER_CORE } from "./pinned.ts";
import type { ServerProgram } from "./servers.ts";
import { configureSecondary } from "./servers.ts";
import { NXDOMAIN_SHARE, questionText, updateText, ZONE, zoneText } from "./workload.ts";

/** Questions outstanding over UDP and over TCP, and connections over TCP. */
export const OUTSTANDING = 100;
export const CONNECTIONS = 20;
/** Updates outstanding. */
export const UPDATES_OUTSTANDING = [50, 400] as const;

/** Answers that a measurement needs at least. */
const FEWEST = 200;

/** What one turn found; what a server cannot do, or failed at, is left out. */
export interface Turn {
  /** Milliseconds until it answered for its zone. */
  start?: number;
  udp?: LoadFigures;
  tcp?: LoadFigures;
  /** By updates outstanding. */
  readonly updates: Record<number, LoadFigures>;
  /** Of updates one after the other. */
  delays?: readonly Delay[];
  /** Of one update after a time of quiet. */
  delayAfterQuiet?: Delay;
}

export interface LoadFigures extends DnsperfResult {
  /** Processor time of the server for each answer, in microseconds. */
  readonly processorMicroseconds: number;
  /** Share of its core that the server used. */
  readonly busy: number;
}

export interface Bench {
  readonly directory: string;
  readonly durations: Durations;
  readonly key: TsigKey;
  readonly random: Random;
  /** Whether the folders stay. */
  readonly keep: boolean;
  /** Server and round: folders are named after it. */
  readonly turn: string;
  /** Says what is measured, measures it, and notes it where that fails. */
  readonly attempt: (what: string, measurement: () => Promise<void>) => Promise<void>;
}

/** Files that all servers and rounds share. */
export function writeWorkload(directory: string): void {
  writeFileSync(join(directory, `${ZONE}.zone`), zoneText());
  writeFileSync(join(directory, "questions"), questionText());
  writeFileSync(join(directory, "updates"), updateText());
}

/**
 * Loads a server with queries and updates.
 * @throws where it does not start
 */
export async function measureLoads(bench: Bench, server: ServerProgram, turn: Turn): Promise<void> {
  await withServer(bench, server, "loads", [], async (port, program, start) => {
    turn.start = start;
    const questions = join(bench.directory, "questions");
    const { warmUp, queries, updates } = bench.durations;
    const load = async (seconds: number, file: string, args: readonly string[]): Promise<LoadFigures> => {
      await dnsperf(port, file, warmUp, args);
      const before = program.processorTime;
      const result = await dnsperf(port, file, seconds, args);
      const used = program.processorTime - before;
      return { ...result, processorMicroseconds: (used / result.completed) * 1e6, busy: used / result.time };
    };
    const udp = ["-q", String(OUTSTANDING), "-t", "5"];
    await bench.attempt("UDP", async () => {
      turn.udp = checkedAnswers(await load(queries, questions, udp));
    });
    await bench.attempt("TCP", async () => {
      const tcp = [...udp, "-m", "tcp", "-c", String(CONNECTIONS)];
      turn.tcp = checkedAnswers(await load(queries, questions, tcp));
    });
    if (!server.takesUpdates) return;
    const { name, algorithm, secret } = keyText(bench.key);
    for (const outstanding of UPDATES_OUTSTANDING) {
      await bench.attempt(`updates, ${outstanding} outstanding`, async () => {
        const args = ["-u", "-y", `${algorithm}:${name}:${secret}`, "-q", String(outstanding), "-t", "1"];
        const before = await serialOf(port);
        const figures = await load(updates, join(bench.directory, "updates"), args);
        if ((await serialOf(port)) === before) throw new Error("the updates changed nothing");
        turn.updates[outstanding] = checkedUpdates(figures);
      });
    }
  });
}

/** Measures the delay to a secondary, on servers started for it alone. */
export async function measureDelay(bench: Bench, server: ServerProgram, turn: Turn): Promise<void> {
  const secondaryPort = await freePort();
  const notifies = await NotifyListener.open();
  try {
    await withServer(bench, server, "delay", [secondaryPort, notifies.port], async (port) => {
      const directory = mkdtempSync(join(memoryFolder() ?? bench.directory, `${bench.turn}-secondary-`));
      const command = configureSecondary(directory, secondaryPort, port);
      const secondary = new PinnedProgram(CLIENT_CORE, command, directory, join(directory, "log"));
      try {
        await answering(secondary, secondaryPort);
        const ports = { primary: port, secondary: secondaryPort };
        const meter = await DelayMeter.open(ports, notifies, bench.key, bench.random);
        try {
          await takeDelays(bench.durations, meter, turn);
        } finally {
          meter.close();
        }
      } finally {
        await secondary.stop();
        if (!bench.keep) rmSync(directory, { recursive: true, force: true });
      }
    });
  } finally {
    notifies.close();
  }
}

/**
 * Where the secondary keeps its files: in memory where there is such a place. It syncs each change to its disk before it
 * answers with it, which is not what is measured and, on a disk shared with the primary, is most of what would be.
 */
function memoryFolder(): string | undefined {
  return existsSync("/dev/shm") ? "/dev/shm" : undefined;
}

async function takeDelays({ delays, quiet }: Durations, meter: DelayMeter, turn: Turn): Promise<void> {
  await meter.one(); // now the first transfer is over, and every path has been walked once
  turn.delays = await meter.oneAfterAnother(delays);
  if (quiet === 0) return;
  await wait(quiet * 1000);
  turn.delayAfterQuiet = await meter.one();
}

async function withServer(
  bench: Bench,
  server: ServerProgram,
  name: string,
  notify: readonly number[],
  use: (port: number, program: PinnedProgram, start: number) => Promise<void>,
): Promise<void> {
  const directory = join(bench.directory, `${bench.turn}-${name}`);
  mkdirSync(directory);
  const port = await freePort();
  // A copy for each: a server may write to it.
  const zoneFile = join(directory, `${ZONE}.zone`);
  writeFileSync(zoneFile, zoneText());
  const setup = {
    directory,
    port,
    zoneFile,
    key: keyText(bench.key),
    notify,
  };
  const command = server.configure(setup);
  const started = performance.now();
  const program = new PinnedProgram(SERVER_CORE, command, directory, join(directory, "log"));
  try {
    await answering(program, port).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}; its log ends:\n${program.lastWords}`, { cause: error });
    });
    await use(port, program, performance.now() - started);
    if (program.hasEnded)
      throw new Error(`it ended while it was measured; its log ends:\n${program.lastWords}`);
  } finally {
    await program.stop();
    if (!bench.keep) rmSync(directory, { recursive: true, force: true });
  }
}

/** A server that answers wrongly must not count as fast. @throws */
function checkedAnswers(figures: LoadFigures): LoadFigures {
  const { completed, lost, rcodes } = figures;
  const { NOERROR = 0, NXDOMAIN = 0 } = rcodes;
  const isWrong = NOERROR + NXDOMAIN < completed || Math.abs(NXDOMAIN / completed - NXDOMAIN_SHARE) > 0.02;
  if (completed < FEWEST || isWrong || lost > completed / 1000) throw badAnswers(figures);
  return figures;
}

/**
 * Updates beyond a server's quota or its socket's buffer go unanswered, and are counted as such.
 * @throws where updates were refused
 */
function checkedUpdates(figures: LoadFigures): LoadFigures {
  const { completed, rcodes } = figures;
  if (completed < FEWEST || rcodes["NOERROR"] !== completed) throw badAnswers(figures);
  return figures;
}

function badAnswers({ sent, completed, lost, rcodes }: LoadFigures): Error {
  return new Error(`of ${sent} sent ${completed} were answered and ${lost} lost: ${JSON.stringify(rcodes)}`);
}

const SOA_QUESTION = encodeMessage({
  id: 0x534f,
  flags: 0,
  rcode: 0,
  questions: [{ name: Name.parse(`${ZONE}.`), type: RrType.SOA, class: RrClass.IN }],
});

/** Waits until a server answers for the zone with authority. */
async function answering(program: PinnedProgram, port: number): Promise<void> {
  const client = await UdpClient.open({ port });
  try {
    await eventually(
      "the server answers for its zone",
      async () => {
        if (program.hasEnded) throw new Error("the server has ended");
        const answer = await client.ask(SOA_QUESTION, 100).catch(() => undefined);
        return answer === undefined ? undefined : decodeMessage(answer).header;
      },
      (header) => header !== undefined && header.rcode === Rcode.NOERROR && (header.flags & Flag.AA) !== 0,
    );
  } finally {
    client.close();
  }
}

async function serialOf(port: number): Promise<number> {
  return soaSerial(decodeMessage(await askUdp({ port }, SOA_QUESTION)).answers[0]!.rdata);
}

function keyText({ name, algorithm, secret }: TsigKey): { name: string; algorithm: string; secret: string } {
  return {
    name: name.toString().replace(/\.$/, ""),
    algorithm: algorithm.text,
    secret: Buffer.from(secret).toString("base64"),
  };
}
