/** What the writer and the readers of the image's stress test agree on. */
import { RrType } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import { type ResourceRecord, record } from "../../src/wire/record.ts";
import type { HashSeed } from "../../src/zone/image/hash.ts";

export const APEX = Name.parse("example.");
/** Changed in every publication: its generation is the publication's number, as is the serial. */
export const PULSE = Name.parse("pulse", APEX);
/** Names that are always there and often change. */
export const STEADY: readonly Name[] = Array.from({ length: 48 }, (_, i) =>
  Name.parse(`steady-${i}.Rack${i % 5}`, APEX),
);
/** Names that are always there and own nothing: what is below them comes and goes. */
export const EMPTY: readonly Name[] = Array.from({ length: 4 }, (_, i) => Name.parse(`empty-${i}`, APEX));
/** Names that are never there. */
export const NEVER: readonly Name[] = Array.from({ length: 8 }, (_, i) => Name.parse(`never-${i}`, APEX));

/** Words that writer and readers share. */
export const Shared = {
  /** Readers that have begun. */
  BEGUN: 0,
  /** Set by the writer: stop. Set by a reader: something is wrong. */
  STOP: 1,
} as const;
export const SHARED_WORDS = 2;

export interface ReaderStart {
  readonly reader: number;
  readonly image: SharedArrayBuffer;
  readonly epochs: SharedArrayBuffer;
  readonly shared: SharedArrayBuffer;
  readonly seed: HashSeed;
}

export interface ReaderReport {
  /** Rounds over all names, and names looked up. */
  readonly rounds: number;
  readonly reads: number;
  readonly faults: readonly string[];
}

/** TXT records that a generation has: few as a rule, a large RRset now and then. */
export function textCount(generation: number): number {
  return generation % 97 === 0 ? 300 : 1 + (generation % 5);
}

/** All RRsets of a name in one generation; each record says which. */
export function generationOf(name: Name, generation: number): ResourceRecord[] {
  const octets = [generation >>> 24, (generation >>> 16) & 255, (generation >>> 8) & 255, generation & 255];
  const records = [record(name, RrType.A, 60, Uint8Array.from(octets))];
  const filler = (generation * 13) % 200;
  for (let i = 0; i < textCount(generation); i++) {
    const rdata = new Uint8Array(7 + filler).fill(i);
    rdata[0] = rdata.length - 1;
    rdata.set(octets, 1);
    rdata[5] = i >> 8; // or two of them would be one record
    rdata[6] = i & 255;
    records.push(record(name, RrType.TXT, 60, rdata));
  }
  records.push(record(name, RrType.SRV, 60, Uint8Array.of(...octets, 1, 189, ...name.wire)));
  return records;
}
