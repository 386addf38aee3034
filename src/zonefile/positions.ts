/** Where records stood in their files, in numbers beside the records, not in objects. */

/** The place of each record of an array, by the record's index. */
export interface RecordPositions {
  readonly length: number;
  /** File and 1-based line of the record at `index`. */
  at(index: number): { file: string; line: number };
}

/** Grows as records are read: 4 octets a record, 8 where there are several files. */
export class PositionList implements RecordPositions {
  readonly #files: readonly string[];
  #lines: Uint32Array<ArrayBuffer> = new Uint32Array(1024);
  #fileIndexes: Uint32Array<ArrayBuffer> | undefined;
  #length = 0;

  /** @param files names that `fileIndex` counts in; may still grow */
  constructor(files: readonly string[]) {
    this.#files = files;
  }

  get length(): number {
    return this.#length;
  }

  push(fileIndex: number, line: number): void {
    const index = this.#length++;
    if (index === this.#lines.length) {
      this.#lines = grown(this.#lines);
      if (this.#fileIndexes !== undefined) this.#fileIndexes = grown(this.#fileIndexes);
    }
    this.#lines[index] = line;
    if (fileIndex !== 0) this.#fileIndexes ??= new Uint32Array(this.#lines.length);
    if (this.#fileIndexes !== undefined) this.#fileIndexes[index] = fileIndex;
  }

  at(index: number): { file: string; line: number } {
    return { file: this.#files[this.#fileIndexes?.[index] ?? 0] ?? "", line: this.#lines[index] ?? 0 };
  }
}

function grown(old: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(old.length * 2);
  larger.set(old);
  return larger;
}
