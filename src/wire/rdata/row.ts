/** What the registry knows of a type: its fields, and what follows from them. */
import type { Field } from "./fields.ts";

export interface Row {
  readonly fields: readonly Field[];
  /** Has no presentation form of its own, or none a zone could hold: printed as `\# length hex` (RFC 3597 §5). */
  readonly generic: boolean;
  /** Length of the whole RDATA, where it never varies. */
  readonly size: number | undefined;
  readonly hasNames: boolean;
  /** Holds names that are compressed when written. */
  readonly compresses: boolean;
  /** Holds names whose case does not count. */
  readonly lowers: boolean;
}

function build(fields: readonly Field[], generic: boolean): Row {
  let size: number | undefined = 0;
  for (const field of fields)
    size = size === undefined || field.size === undefined ? undefined : size + field.size;
  return {
    fields,
    generic,
    size,
    hasNames: fields.some((field) => field.name !== undefined),
    compresses: fields.some((field) => field.name?.compress === true),
    lowers: fields.some((field) => field.name?.lower === true),
  };
}

/** A type with a presentation form. */
export function row(...fields: Field[]): Row {
  return build(fields, false);
}

/** A type whose names must be found, and which is printed generically all the same. */
export function genericRow(...fields: Field[]): Row {
  return build(fields, true);
}

/** Rows by type number. */
export type RowTable = Readonly<Record<number, Row>>;
