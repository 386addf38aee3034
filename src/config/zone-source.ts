/**
 * Zone files from disk: read, parsed and checked, for `config check`, `zone check`, imports and a zone's first load.
 * What `$INCLUDE` names must lie in the directory of the zone file or below it.
 */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, resolve, sep } from "node:path";
import { checkZoneInSteps } from "../zone/check.ts";
import type { RecordPositions } from "../zonefile/positions.ts";
import { parseZoneInSteps } from "../zonefile/parser.ts";
import { recordToText } from "../zonefile/printer.ts";
import type { Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { hasErrors } from "./problem.ts";
import type { Problem } from "./problem.ts";

/** The largest file that is read, in octets: a JavaScript string must hold it. */
const MAX_ZONE_FILE = 480 * 1024 * 1024;

export interface LoadedZone {
  /** Not to be used where a problem is an error. */
  readonly records: ResourceRecord[];
  readonly problems: Problem[];
}

/** How far the reading of a zone file has come. */
export interface LoadProgress {
  readonly doing: "reading" | "checking";
  /** Records read, or checked. */
  readonly records: number;
}

/** Reads and checks the zone file of a zone. Never throws for a bad file: `problems` says all that is wrong with it. */
export function loadZoneFile(file: string, apex: Name): LoadedZone {
  const loading = loadZoneFileInSteps(file, apex);
  for (;;) {
    const step = loading.next();
    if (step.done === true) return step.value;
  }
}

/** {@link loadZoneFile} in steps of some milliseconds. */
export function* loadZoneFileInSteps(
  file: string,
  apex: Name,
): Generator<LoadProgress, LoadedZone, undefined> {
  let text: Uint8Array;
  let folder: string;
  try {
    if (statSync(file).size > MAX_ZONE_FILE) throw new Error(`it is over ${MAX_ZONE_FILE} octets`);
    folder = dirname(realpathSync(file));
    text = readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : message;
    const problem: Problem = {
      severity: "error",
      code: "ZONEFILE_READ",
      file,
      message: `cannot be read: ${why}`,
    };
    return { records: [], problems: [problem] };
  }
  const reading = parseZoneInSteps(text, {
    file,
    origin: apex,
    include: (name, from) => readIncluded(name, from, folder),
  });
  let step = reading.next();
  for (; step.done !== true; step = reading.next()) yield { doing: "reading", records: step.value };
  const parsed = step.value;
  const problems: Problem[] = [...parsed.problems];
  // Checks of the zone as a whole mean little while records are missing from it.
  if (!hasErrors(problems)) {
    problems.push(...(yield* checkedZoneInSteps(apex, parsed.records, file, parsed.positions)));
  }
  return { records: parsed.records, problems };
}

/** What is wrong with the records of a zone, taken together; in steps of some milliseconds. */
export function* checkedZoneInSteps(
  apex: Name,
  records: readonly ResourceRecord[],
  file: string,
  positions?: RecordPositions,
): Generator<LoadProgress, Problem[], undefined> {
  const checking = checkZoneInSteps(apex, records, { positions });
  let step = checking.next();
  for (; step.done !== true; step = checking.next()) yield { doing: "checking", records: step.value };
  return step.value.map((problem) => {
    const { code, severity, owner, type, line } = problem;
    const about = type === undefined ? owner : `${owner} ${type}`;
    return { code, severity, file: problem.file ?? file, line, message: `${about}: ${problem.message}` };
  });
}

/** Characters of a piece of {@link zoneTextPieces}. */
const PIECE = 64 * 1024;

/**
 * Records as zone-file text in pieces: each of whole lines, each line one record with absolute names, TTL and class.
 * @param onPiece called before each piece with the number of records up to its end
 */
export function* zoneTextPieces(
  records: Iterable<ResourceRecord>,
  onPiece: (records: number) => void = () => undefined,
): Generator<string> {
  let piece = "";
  let count = 0;
  for (const record of records) {
    piece += `${recordToText(record)}\n`;
    count++;
    if (piece.length < PIECE) continue;
    onPiece(count);
    yield piece;
    piece = "";
  }
  if (piece !== "") {
    onPiece(count);
    yield piece;
  }
}

/** @throws Error with a message for the operator */
function readIncluded(name: string, from: string, folder: string): { file: string; text: Uint8Array } {
  const file = resolve(dirname(from), name);
  let real: string;
  try {
    real = realpathSync(file);
  } catch {
    throw new Error(`${file} does not exist`);
  }
  if (!real.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`)) {
    throw new Error(`${real} is outside ${folder}: included files must be beside the zone file or below it`);
  }
  const stat = statSync(real);
  if (!stat.isFile()) throw new Error(`${file} is not a file`);
  if (stat.size > MAX_ZONE_FILE) throw new Error(`${file} is over ${MAX_ZONE_FILE} octets`);
  return { file, text: readFileSync(real) };
}
