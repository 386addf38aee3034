/** What the pages under docs say is what the server takes: their configurations, their commands, their links. */
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildProgram } from "../../../src/cli/program.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { blocks } from "../../support/docs.ts";
import { keytabFile } from "../../support/keytab.ts";
import { run } from "../../support/process.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const MAIN = join(ROOT, "src/cli/main.ts");
const PAGES = ["README.md", ...globSync("docs/**/*.md", { cwd: ROOT })].toSorted();

const read = (page: string): string => readFileSync(join(ROOT, page), "utf8");

/** A block as a whole configuration: what others have said on the page is put in front, and paths lie in a folder. */
function complete(block: string, folder: string): string {
  const isWhole = /^listen *= */.test(block);
  const parts = [
    block
      .replaceAll("/etc/rollcall/", "")
      .replaceAll("../data/", "")
      .replace(/^data .*$/m, ""),
  ];
  if (!/^\[\[zone\]\]$/m.test(block)) parts.unshift(`[[zone]]\nname = "smb.example"\n`);
  if (/^principal\b/m.test(block) && !/^\[gss\]$/m.test(block))
    parts.unshift(`[gss]\nkeytab = "dns.keytab"\n`);
  if (!/^keys\b/m.test(block)) parts.unshift(`keys = ["keys.conf"]\n`);
  parts.unshift(`data = ${JSON.stringify(join(folder, "data"))}\n`);
  if (!isWhole) parts.unshift(`listen = ["192.0.2.53"]\n`);
  return parts.join("");
}

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rollcall-guides-"));
  mkdirSync(join(folder, "data"));
  const keys = PAGES.flatMap((page) =>
    [...read(page).matchAll(/\bkey *= "([^"]+)"/g)].map(([, key]) => key!),
  );
  const clauses = [...new Set(keys)].map(
    (key) => `key "${key}" { algorithm hmac-sha256; secret "c2VjcmV0"; };\n`,
  );
  writeFileSync(join(folder, "keys.conf"), clauses.join(""), { mode: 0o600 });
  const entry = { components: ["DNS", "ns1.smb.example"], realm: "SMB.EXAMPLE", version: 1, encryption: 18 };
  writeFileSync(join(folder, "dns.keytab"), keytabFile(entry), { mode: 0o600 });
  const zone =
    "$TTL 300\n@ IN SOA ns1.smb.example. h.smb.example. 1 900 60 1209600 30\n@ IN NS ns1.smb.example.\n";
  writeFileSync(join(folder, "smb.example.zone"), `${zone}ns1 IN A 192.0.2.53\n`);
  for (const name of ["2.0.192", "10"]) writeFileSync(join(folder, `${name}.in-addr.arpa.zone`), zone);
});

afterAll(() => rmSync(folder, { recursive: true }));

const configurations = PAGES.flatMap((page) =>
  blocks(read(page), "toml").map(({ line, text }) => ({ where: `${page}:${line}`, page, text })),
);

describe("configurations", () => {
  test.each(configurations)("$where has no mistake", ({ text }) => {
    const path = join(folder, "rollcall.toml");
    writeFileSync(path, complete(text, folder));
    const { problems } = loadConfig(path);
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  });

  // What a reader copies whole should not warn him.
  const guides = configurations.filter(({ page }) => page.startsWith("docs/guides/"));
  test.each(guides)("$where draws no warning", ({ text }) => {
    const path = join(folder, "rollcall.toml");
    writeFileSync(path, complete(text, folder));
    expect(loadConfig(path).problems).toEqual([]);
  });
});

describe("commands", () => {
  const commands = PAGES.flatMap((page) =>
    blocks(read(page), "sh").flatMap(({ line, text }) =>
      text
        .split("\n")
        .map((command, at) => ({ where: `${page}:${line + 1 + at}`, page, command }))
        .filter(({ command }) => command.startsWith("rollcall ")),
    ),
  );

  test.each(commands)("$where: $command", ({ command }) => {
    // Words and options that there are; nothing is run.
    const words = shellWords(command).slice(1);
    let verb = buildProgram(() => undefined);
    for (let next; (next = verb.commands.find((child) => child.name() === words[0])) !== undefined;) {
      verb = next;
      words.shift();
    }
    expect(verb.commands).toEqual([]);
    const known = verb.options.flatMap(({ long, short }) => [long, short]);
    for (const option of words.filter((word) => word.startsWith("-"))) expect(known).toContain(option);
  });

  const explained = commands.filter(({ command }) => command.startsWith("rollcall explain update "));
  test.each(explained)("$where: says what the page says", async ({ page, command }) => {
    const config = configurations.find((one) => one.page === page)!;
    const path = join(folder, `explain-${command.length}.toml`);
    writeFileSync(path, complete(config.text, folder));
    const { code, stdout, stderr } = await run(process.execPath, [
      MAIN,
      ...shellWords(command).slice(1),
      "--config",
      path,
    ]);
    expect({ code, stderr, stdout }).toMatchObject({
      code: command.includes("# refused") ? 1 : 0,
      stderr: "",
    });
    expect(stdout).toContain(command.includes("# refused") ? "REFUSED" : "rule ");
  });
});

/** The words of a simple command: single quotes, comments. */
function shellWords(command: string): string[] {
  return [...command.replace(/ +#.*$/, "").matchAll(/'([^']*)'|(\S+)/g)].map(
    ([, quoted, plain]) => quoted ?? plain!,
  );
}

describe("links", () => {
  const links = PAGES.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => ({ page, target: target! }))
      .filter(({ target }) => !/^[a-z]+:/.test(target)),
  );

  test.each(links)("$page: $target", ({ page, target }) => {
    const [path, anchor] = target.split("#");
    const file = path === "" ? page : relative(ROOT, resolve(ROOT, dirname(page), path!));
    expect(existsSync(join(ROOT, file))).toBe(true);
    expect(anchor === undefined ? [anchor] : anchors(read(file))).toContain(anchor);
  });

  test("lead to every page", () => {
    const reached = new Set(["README.md"]);
    for (const page of reached) {
      for (const link of links.filter((one) => one.page === page)) {
        reached.add(relative(ROOT, resolve(ROOT, dirname(page), link.target.split("#")[0]!)));
      }
    }
    const pages = PAGES.filter((page) => !page.startsWith("docs/decisions/"));
    expect(pages.filter((page) => !reached.has(page))).toEqual([]);
  });
});

/** The anchors that GitHub makes of headings. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
