/** The fields behind a record's type, handed to the RDATA reader one by one. */
import { Name } from "../wire/name.ts";
import type { FieldSource, TextField } from "../wire/rdata/text.ts";
import type { ZoneLexer } from "./lexer.ts";

/** A view of a lexer's current entry. One is made a file and reset for each record. */
export class EntryFields implements FieldSource {
  origin: Name = Name.root;
  #lexer: ZoneLexer | undefined;
  #next = 0;
  #peeked: TextField | undefined;

  /** @param from index of the first field to hand out */
  reset(lexer: ZoneLexer, from: number, origin: Name): this {
    this.#lexer = lexer;
    this.#next = from;
    this.#peeked = undefined;
    this.origin = origin;
    return this;
  }

  /** Index of the field that `next` would take. */
  get nextIndex(): number {
    return this.#next;
  }

  /** Index of the field last taken. */
  get lastTaken(): number {
    return this.#next - 1;
  }

  next(): TextField | undefined {
    const field = this.peek();
    // At the end it counts on too, once: a complaint about what is missing then points behind the last field.
    if (field !== undefined || this.#next === this.#lexer!.count) this.#next++;
    this.#peeked = undefined;
    return field;
  }

  peek(): TextField | undefined {
    const lexer = this.#lexer!;
    if (this.#peeked === undefined && this.#next < lexer.count) {
      this.#peeked = { text: lexer.field(this.#next), quoted: lexer.isQuoted(this.#next) };
    }
    return this.#peeked;
  }
}
