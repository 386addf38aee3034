/** A server set up in a folder of its own, started, used, and taken away. */
import { copyFileSync, cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { RrClass } from "../../../src/wire/iana/class.ts";
import { Rcode } from "../../../src/wire/iana/code.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage, Flag } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { soaSerial } from "../../../src/wire/rdata/soa.ts";
import { freePort } from "../../support/free-port.ts";
import { eventually } from "../../support/process.ts";
import { askUdp, UdpClient } from "../../support/sockets.ts";
import { PinnedProgram, SERVER_CORE } from "../load/pinned.ts";
import { ZONE } from "../load/workload.ts";
import type { ServerProgram, Setup } from "../servers/server.ts";
import type { Bench } from "./turn.ts";
import { keyText } from "./turn.ts";

/** A server that answers. */
export interface Started {
  readonly port: number;
  readonly program: PinnedProgram;
  /** Milliseconds until it answered for its zone. */
  readonly start: number;
}

export interface StartOptions {
  /** The folder's name behind the turn's. */
  readonly name: string;
  /** Path of the zone's file. */
  readonly zone: string;
  /** Ports on 127.0.0.1 that are to be told of changes. */
  readonly notify?: readonly number[];
  /** A folder that {@link prepared} made, to begin from a copy of. */
  readonly from?: string;
}

/** @throws where it does not start, or ends while it is used */
export async function withServer(
  bench: Bench,
  server: ServerProgram,
  options: StartOptions,
  use: (started: Started) => Promise<void>,
): Promise<void> {
  const directory = join(bench.directory, `${bench.turn}-${options.name}`);
  try {
    const setup = await setUp(bench, directory, options);
    if (options.from === undefined) await server.prepare?.(setup);
    await whileStarted(server, setup, use);
  } finally {
    if (!bench.keep) rmSync(directory, { recursive: true, force: true });
  }
}

/** A folder in which a server's store is filled already, to be copied by {@link withServer}. @returns its path */
export async function prepared(bench: Bench, server: ServerProgram, options: StartOptions): Promise<string> {
  const directory = join(bench.directory, `${server.name}-${options.name}`);
  const setup = await setUp(bench, directory, options);
  await server.prepare?.(setup);
  if (server.importsAtStart) await whileStarted(server, setup, () => Promise.resolve());
  return directory;
}

async function setUp(bench: Bench, directory: string, options: StartOptions): Promise<Setup> {
  if (options.from === undefined) mkdirSync(directory);
  else cpSync(options.from, directory, { recursive: true });
  // A copy for each: a server may write to it.
  const zoneFile = join(directory, `${ZONE}.zone`);
  if (options.from === undefined) copyFileSync(options.zone, zoneFile);
  const key = keyText(bench.key);
  return { directory, port: await freePort(), zoneFile, key, notify: options.notify ?? [] };
}

async function whileStarted(
  server: ServerProgram,
  setup: Setup,
  use: (started: Started) => Promise<void>,
): Promise<void> {
  const { directory, port } = setup;
  const command = server.configure(setup);
  const started = performance.now();
  const program = new PinnedProgram(SERVER_CORE, command, directory, join(directory, "log"));
  try {
    await answering(program, port).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}; its log ends:\n${program.lastWords}`, { cause: error });
    });
    await use({ port, program, start: performance.now() - started });
    if (program.hasEnded)
      throw new Error(`it ended while it was measured; its log ends:\n${program.lastWords}`);
  } finally {
    await program.stop();
  }
}

/** Milliseconds until a server must answer: an import of a million names is among what it may do first. */
const START_PATIENCE = 180_000;

const SOA_QUESTION = encodeMessage({
  id: 0x534f,
  flags: 0,
  rcode: 0,
  questions: [{ name: Name.parse(`${ZONE}.`), type: RrType.SOA, class: RrClass.IN }],
});

/** Waits until a server answers for the zone with authority. */
export async function answering(program: PinnedProgram, port: number): Promise<void> {
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
      START_PATIENCE,
    );
  } finally {
    client.close();
  }
}

export async function serialOf(port: number): Promise<number> {
  return soaSerial(decodeMessage(await askUdp({ port }, SOA_QUESTION)).answers[0]!.rdata);
}
