/** The plan of the house, held: which folder may import from which, and what the pure core never touches. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { describe, expect, test } from "vitest";

const SRC = resolve(import.meta.dirname, "../../src");

/** Every edge there may be. A folder that is not listed may not exist. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  zonefile: ["wire"],
  zone: ["wire"],
  auth: ["wire"],
  forward: ["wire"],
  protocol: ["wire", "zone", "auth"],
  netbios: ["wire", "zone", "auth"],
  store: ["wire", "zone"],
  server: ["wire", "zone", "auth", "forward", "protocol"],
  config: ["wire", "zonefile", "zone", "auth"],
  control: ["config"],
  services: ["wire", "zonefile", "zone", "auth", "forward", "protocol", "netbios", "config", "control"],
  cli: ["wire", "auth", "control", "config", "app.ts"],
  app: ["wire", "zone", "protocol", "store", "server", "services", "config", "control"],
  "app.ts": ["app", "wire", "zone", "auth", "protocol", "store", "server", "services", "config", "control"],
};

/** Bytes and a context in, replies and changesets out: no I/O, no clock, no chance. `node:crypto` serves for HMAC alone. */
const PURE: Readonly<Record<string, readonly string[]>> = {
  wire: [],
  zonefile: [],
  zone: [],
  protocol: [],
  netbios: [],
  forward: [],
  auth: ["node:crypto", "node:net"],
};

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), "utf8");
  return [...text.matchAll(/^(?:import|export|\}).* from "([^"]+)";$|\bimport\("([^"]+)"\)/gm)].map(
    (match) => match[1] ?? match[2]!,
  );
}

const folderOf = (file: string): string => file.split(sep)[0]!;

describe("imports run one way", () => {
  test.each(files)("%s", (file) => {
    const from = folderOf(file);
    expect(ALLOWED, `src/${from} is not in the plan`).toHaveProperty([from]);
    const elsewhere = importsOf(file)
      .filter((specifier) => specifier.startsWith("."))
      .map((specifier) => folderOf(relative(SRC, resolve(SRC, dirname(file), specifier))))
      .filter((to) => to !== from);
    for (const to of elsewhere) expect(ALLOWED[from], `${file} imports from src/${to}`).toContain(to);
  });
});

describe("the core is pure", () => {
  test.each(files.filter((file) => folderOf(file) in PURE))("%s", (file) => {
    const packages = importsOf(file).filter((specifier) => !specifier.startsWith("."));
    for (const name of packages) expect(PURE[folderOf(file)], `${file} imports ${name}`).toContain(name);
    const text = readFileSync(join(SRC, file), "utf8");
    expect(text).not.toMatch(/\bDate\.now\(|\bperformance\.now\(|\bMath\.random\(|\bsetTimeout\(/);
  });
});
