/** The presentation form of every type against BIND: named-checkzone reads what Rollcall prints, and the other way round. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RrType, typeToText } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import { rdataFromText, rdataKey, rdataToText } from "../../src/wire/rdata/rdata.ts";
import { typedRdata, zoneTypes } from "../support/arbitrary.ts";
import { describeWith } from "../support/peers.ts";
import { findProgram } from "../support/process.ts";
import { fieldsOf, splitFields } from "../support/rdata.ts";

/** Not in a zone more than once, or no longer read by BIND (MD, MF; SIG and NXT in the generic form). */
const leftOut: readonly number[] = [
  RrType.SOA,
  RrType.CNAME,
  RrType.DNAME,
  RrType.MD,
  RrType.MF,
  RrType.SIG,
  RrType.NXT,
];
const types = zoneTypes.filter((type) => !leftOut.includes(type));

/** BIND knows no mnemonic for Microsoft's types. */
function typeForBind(type: number): string {
  return type >= 65_280 ? `TYPE${type}` : typeToText(type);
}

describeWith(["named-checkzone"], "presentation form of every type", () => {
  const program = findProgram("named-checkzone")!;
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "rollcall-rdata-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(types.map((type) => [typeToText(type), type] as const))("%s", (_, type) => {
    const samples = fc.sample(typedRdata([type]), 40).map(({ rdata }) => rdata);
    const lines = samples.map((rdata, i) => `h${i} ${typeForBind(type)} ${rdataToText(type, rdata)}`);
    const head = ["$TTL 60", "$ORIGIN example.", "@ SOA ns h 1 1 1 1 1", "@ NS ns", "ns A 192.0.2.1"];
    const input = join(folder, `${type}.zone`);
    const output = join(folder, `${type}.out`);
    writeFileSync(input, [...head, ...lines, ""].join("\n"));

    const quiet = ["-i", "none", "-k", "ignore", "-n", "ignore", "-r", "ignore"];
    const run = spawnSync(program, [...quiet, "-D", "-o", output, "example.", input], {
      encoding: "utf8",
    });
    expect({
      status: run.status,
      zone: run.status === 0 ? "" : lines,
      said: run.status === 0 ? "" : run.stdout,
    }).toEqual({ status: 0, zone: "", said: "" });

    const printed = new Map<string, string>();
    for (const line of readFileSync(output, "utf8").split("\n")) {
      const match = /^h(\d+)\.example\.\s+\d+\s+IN\s+\S+\s+(.*)$/.exec(line);
      if (match !== null) printed.set(match[1]!, match[2]!);
    }
    for (const [i, rdata] of samples.entries()) {
      const text = printed.get(String(i))!;
      const reread = rdataFromText(type, fieldsOf(splitFields(text), Name.root));
      expect([text, rdataKey(type, reread)]).toEqual([text, rdataKey(type, rdata)]);
    }
  });
});
