/** The documentation names every key of the configuration and every error code, and no others. */
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { configKeys } from "../../../src/config/schema.ts";
import { buildProgram } from "../../../src/cli/program.ts";

const ROOT = resolve(import.meta.dirname, "../../..");

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** The first cells of a page's tables, in code marks. */
function firstCells(text: string): string[] {
  return [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell]) => cell!);
}

describe("docs/configuration.md", () => {
  const page = read("docs/configuration.md");
  // Sections stand under their own heading; the entries of notify and transfer under "Keys of an entry of …".
  const headings: Readonly<Record<string, RegExp>> = {
    "": /^## Top level$/m,
    notify: /^Keys of an entry of `notify`/m,
    transfer: /^Keys of an entry of `transfer`/m,
    domains: /^Keys of an entry of `domains`/m,
  };

  test.each([...configKeys()])("section %j", (section, keys) => {
    const heading = headings[section] ?? new RegExp(`^## \`${section.replaceAll(/[[\].]/g, "\\$&")}\`$`, "m");
    const start = page.search(heading);
    expect(start).toBeGreaterThanOrEqual(0);
    const table = /(?:^\|.*\n)+/m.exec(page.slice(start))![0];
    expect(firstCells(table).toSorted()).toEqual(keys.toSorted());
  });
});

test("docs/errors.md lists exactly the codes of the source", () => {
  const prefixes = "CONFIG|CONTROL|HISTORY|KEYFILE|KEY|LISTEN|STORE|ZONEFILE|ZONE|EXPORT|GSS|QUERY|ROLLBACK";
  const code = new RegExp(`"((?:${prefixes})_[A-Z0-9_]+|USAGE)"`, "g");
  const inSource = new Set<string>();
  for (const file of globSync("src/**/*.ts", { cwd: ROOT })) {
    for (const [, found] of read(file).matchAll(code)) inSource.add(found!);
  }
  expect(firstCells(read("docs/errors.md")).toSorted()).toEqual([...inSource].toSorted());
});

test("docs/cli.md lists every command", () => {
  const page = read("docs/cli.md");
  const leaves = (command: ReturnType<typeof buildProgram>, path: string): string[] =>
    command.commands.length === 0
      ? [path]
      : command.commands.flatMap((child) => leaves(child, `${path} ${child.name()}`));
  const documented = [...page.matchAll(/^\| `(rollcall(?: [a-z]+)+)/gm)].map(([, path]) => path!);
  expect(documented.toSorted()).toEqual(
    leaves(
      buildProgram(() => undefined),
      "rollcall",
    ).toSorted(),
  );
});
