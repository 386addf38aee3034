/**
 * Master-file text to the records of a zone (RFC 1035 §5): the whole file at once, or in steps that leave the thread to
 * others between them.
 */
import type { ResourceRecord } from "../wire/record.ts";
import type { RecordPositions } from "./positions.ts";
import { ProblemList } from "./problem.ts";
import type { ZoneFileProblem } from "./problem.ts";
import { ZoneReader } from "./reader.ts";
import type { ZoneReaderOptions } from "./reader.ts";
import { RecordCollector } from "./rrsets.ts";

/** Records in one step of {@link parseZoneInSteps}: some milliseconds. */
const RECORDS_PER_STEP = 1_000;

export interface ParseZoneOptions extends ZoneReaderOptions {
  /** Errors, and warnings, that are listed at most; at that many errors reading stops. */
  readonly maxProblems?: number | undefined;
}

export interface ParsedZone {
  /** In the order of the text; RRsets have one TTL and no record stands there twice. Not to be used where there are errors. */
  readonly records: ResourceRecord[];
  /** Where each record stood, by its index in `records`. */
  readonly positions: RecordPositions;
  /** Everything that is wrong, by file and line. */
  readonly problems: ZoneFileProblem[];
  /** Whether a problem is an error. */
  readonly hasErrors: boolean;
}

/**
 * Reads a zone file. Never throws for bad text: `problems` lists all that is wrong with it.
 * @param text the file; octets are taken as UTF-8
 */
export function parseZone(text: string | Uint8Array, options: ParseZoneOptions): ParsedZone {
  const steps = parseZoneInSteps(text, options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * {@link parseZone} in steps: yields the number of records handled so far every few thousand, and returns the result.
 * For a large file, so that whoever drives it can serve others between two steps.
 */
export function* parseZoneInSteps(
  text: string | Uint8Array,
  options: ParseZoneOptions,
): Generator<number, ParsedZone, undefined> {
  const list = new ProblemList(options.maxProblems);
  const reader = new ZoneReader(options, list);
  const collector = new RecordCollector(reader.files, list);
  const { records, positions } = collector;
  let read = 0;
  for (const record of reader.read(text)) {
    collector.add(record, reader.files[reader.fileIndex]!, reader.fileIndex, reader.line);
    if (++read % RECORDS_PER_STEP === 0) yield read;
  }
  const problems = list.finish();
  return { records, positions, problems, hasErrors: problems.some(({ severity }) => severity === "error") };
}
