/** Printed zones: what they look like, in which order, and that one record changed is one line changed. */
import { describe, expect, test } from "vitest";
import { Name } from "../../../src/wire/name.ts";
import { canonicalOrderKey } from "../../../src/zonefile/order.ts";
import { printZone, recordToText } from "../../../src/zonefile/printer.ts";
import { lines, recordsOf } from "../../support/zonefile.ts";

const apex = Name.parse("smb.example.");
const HEAD = "@ 3600 SOA ns1 host\\.master 7 3600 600 604800 30\n";

describe("printZone", () => {
  test("the whole of a small zone", () => {
    const records = recordsOf(
      `${HEAD}z 3600 A 192.0.2.9\na 60 TXT "a b"\na 60 A 192.0.2.1\n@ 3600 MX 5 mail\n@ 3600 NS ns1\n@ 3600 A 192.0.2.7`,
    );
    expect([...printZone(apex, records)].map((line) => line.trimEnd())).toEqual([
      "$ORIGIN smb.example.",
      "$TTL 3600",
      "@                               IN SOA     ns1 host\\.master (",
      "                                           7          ; serial",
      "                                           3600       ; refresh",
      "                                           600        ; retry",
      "                                           604800     ; expire",
      "                                           30         ; minimum: how long a negative answer is kept",
      "                                           )",
      "@                               IN NS      ns1",
      "@                               IN A       192.0.2.7",
      "@                               IN MX      5 mail",
      "a                       60      IN A       192.0.2.1",
      'a                       60      IN TXT     "a b"',
      "z                               IN A       192.0.2.9",
    ]);
  });

  test("the order of the records does not matter", () => {
    const records = recordsOf(`${HEAD}b 60 A 192.0.2.2\nb 60 A 192.0.2.1\na 60 A 192.0.2.3\n`);
    expect([...printZone(apex, records.toReversed())]).toEqual([...printZone(apex, records)]);
  });

  test("a record more is a line more", () => {
    const before = [...printZone(apex, recordsOf(`${HEAD}a 60 A 192.0.2.1\n`))];
    const after = [
      ...printZone(
        apex,
        recordsOf(`${HEAD}a 60 A 192.0.2.1\naveryveryveryverylongnameindeed 86400 A 192.0.2.2\n`),
      ),
    ];
    expect(after.filter((line) => !before.includes(line))).toHaveLength(1);
    expect(before.filter((line) => !after.includes(line))).toEqual([]);
  });

  test("records that come in order are printed the same, as they come", () => {
    const records = recordsOf(`${HEAD}a 60 A 192.0.2.1\nb 60 TXT x\nb 60 A 192.0.2.1\n`);
    let taken = 0;
    const counted = function* () {
      for (const record of records) {
        taken++;
        yield record;
      }
    };
    const printed = printZone(apex, counted(), { inOrder: true });
    const first = Array.from({ length: 9 }, () => printed.next().value);
    expect(taken).toBe(2);
    expect([...first, ...printed]).toEqual([...printZone(apex, records)]);
  });

  test("records without an SOA", () => {
    expect([...printZone(apex, recordsOf("a 60 A 192.0.2.1"))]).toEqual([
      "$ORIGIN smb.example.",
      "a                       60      IN A       192.0.2.1",
    ]);
  });

  test("an empty zone", () => {
    expect([...printZone(apex, [])]).toEqual(["$ORIGIN smb.example."]);
  });
});

describe("recordToText", () => {
  test("absolute, and relative to an origin", () => {
    const [record] = recordsOf("_smb._tcp 60 SRV 0 1 445 files");
    expect(recordToText(record!)).toBe("_smb._tcp.smb.example. 60 IN SRV 0 1 445 files.smb.example.");
    expect(recordToText(record!, apex)).toBe("_smb._tcp 60 IN SRV 0 1 445 files");
  });

  test("a name that ends in the origin in other case stays absolute, and so keeps it", () => {
    const [record] = recordsOf("a.SMB.example. 60 HTTPS 1 b.smb.EXAMPLE.");
    expect(recordToText(record!, apex)).toBe("a.SMB.example. 60 IN HTTPS 1 b.smb.EXAMPLE.");
  });

  test("types of Windows alone are printed as other servers read them", () => {
    expect(lines(recordsOf(String.raw`@ 60 TYPE65281 \# 1 00`))).toEqual([
      String.raw`smb.example. 60 IN TYPE65281 \# 1 00`,
    ]);
  });
});

describe("RFC 4034 §6.1 canonical order of names", () => {
  test("as in the RFC's example", () => {
    const names = [
      "example.",
      "a.example.",
      "yljkjljk.a.example.",
      "Z.a.example.",
      "zABC.a.EXAMPLE.",
      "z.example.",
      String.raw`\001.z.example.`,
      "*.z.example.",
      String.raw`\200.z.example.`,
    ];
    const sorted = names
      .toReversed()
      .toSorted((a, b) => (canonicalOrderKey(Name.parse(a)) < canonicalOrderKey(Name.parse(b)) ? -1 : 1));
    expect(sorted).toEqual(names);
  });
});
