/** One server's turn in one round: what it is given, and what it finds. */
import type { TsigKey } from "../../../src/auth/tsig/key.ts";
import type { Random } from "../../support/mutate.ts";
import type { KeyText } from "../../support/secondary.ts";
import type { DnsperfResult } from "../load/dnsperf.ts";
import type { WorkloadFiles } from "../load/workload.ts";
import type { Durations, MeasureName } from "../options.ts";
import type { Delay } from "./delay-meter.ts";

/** What one turn found; what a server cannot do, or failed at, is left out. */
export interface Turn {
  /** Milliseconds until it answered for its zone, at its first start. */
  start?: number;
  udp?: LoadFigures;
  tcp?: LoadFigures;
  /** By updates outstanding. */
  readonly updates: Record<number, LoadFigures>;
  latency?: LatencyFigures;
  /** The same while updates come in. */
  latencyUnderUpdates?: LatencyFigures & { readonly updatesPerSecond: number };
  /** Of updates one after the other. */
  delays?: readonly Delay[];
  /** Of one update after a time of quiet. */
  delayAfterQuiet?: Delay;
  readonly million: MillionFigures;
}

export interface LoadFigures extends DnsperfResult {
  /** Processor time of the server for each answer, in microseconds. */
  readonly processorMicroseconds: number;
  /** Share of its core that the server used. */
  readonly busy: number;
}

/** Milliseconds from question to answer; what is not answered counts as the whole patience. */
export interface LatencyFigures {
  readonly p50: number;
  readonly p99: number;
  readonly unanswered: number;
}

/** With a million names. */
export interface MillionFigures {
  /** Milliseconds until it answers for its zone; the zone is in its store where it has one. */
  start?: number;
  /** Octets, when it is ready. */
  memory?: number;
  /** Octets, after everything else here. */
  memoryAtEnd?: number;
  udp?: LoadFigures;
  /** Seconds until dig has the whole zone: the shortest of several. */
  transfer?: number;
  updates?: LoadFigures;
  /** The same with ten thousand names of the same kind. */
  updatesWithFewer?: LoadFigures;
}

/** What a turn needs. */
export interface Bench {
  readonly directory: string;
  /**
   * Where the secondary keeps its files: in memory where there is such a place. It syncs each change to its disk before
   * it answers with it, which is not what is measured and, on a disk shared with the primary, is most of what would be.
   */
  readonly memoryDirectory: string;
  readonly measures: ReadonlySet<MeasureName>;
  readonly durations: Durations;
  readonly key: TsigKey;
  readonly random: Random;
  /** The usual zone's load, and where million names are measured that of them, and of ten thousand of the same kind. */
  readonly cluster: WorkloadFiles;
  readonly million: WorkloadFiles | undefined;
  readonly fewer: WorkloadFiles | undefined;
  /** What the measuring client is run by, so that the updates' sender does not delay it. */
  readonly priority: readonly string[];
  /** Whether the folders stay. */
  readonly keep: boolean;
  /** Server and round: folders are named after it. */
  readonly turn: string;
  /** Says what is measured, measures it, and notes it where that fails. */
  readonly attempt: (what: string, measurement: () => Promise<void>) => Promise<void>;
}

export function keyText({ name, algorithm, secret }: TsigKey): KeyText {
  return {
    name: name.toString().replace(/\.$/, ""),
    algorithm: algorithm.text,
    secret: Buffer.from(secret).toString("base64"),
  };
}
