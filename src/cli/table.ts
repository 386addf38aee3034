/** Tables of text in columns, for terminals and pipes alike. */
import { paint } from "./output.ts";

export interface Column {
  readonly title: string;
  /** Numbers stand at the right. */
  readonly right?: boolean;
}

/**
 * Lays rows out under their titles, two spaces between columns; nothing follows the last column.
 * @param rows cells without line breaks or colours, as many as there are columns
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, index) =>
    rows.reduce((widest, row) => Math.max(widest, (row[index] ?? "").length), title.length),
  );
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ right }, index) => {
        const cell = cells[index] ?? "";
        return right === true ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!);
      })
      .join("  ")
      .trimEnd();
  const head = paint("bold", line(columns.map(({ title }) => title)));
  return `${[head, ...rows.map(line)].join("\n")}\n`;
}

/** Names and values, one pair a line, the values under one another. */
export function pairs(rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${paint("bold", `${name}:`.padEnd(width + 1))}  ${value}\n`).join("");
}
