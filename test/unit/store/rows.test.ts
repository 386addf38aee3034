/** Rows read page by page: what comes out is what was put in, whatever its octets and wherever a page ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStore } from "../../../src/store/open.ts";
import { RowCursor } from "../../../src/store/rows.ts";
import type { SqliteStore } from "../../../src/store/store.ts";
import type { RecordCursor } from "../../../src/wire/cursor.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";
import { record, type ResourceRecord } from "../../../src/wire/record.ts";
import { aRecord, recordToLine, soaRecord, someOrigin } from "../../support/model.ts";

const apex = Name.parse("Smb.example.");
const a = (owner: string, address: string): ResourceRecord => aRecord(apex, owner, address);

const serialText = (i: number): ResourceRecord =>
  record(Name.parse(`h${i}`, apex), RrType.TXT, 7, Uint8Array.of(2, i >> 8, i & 255));

let directory: string;
let store: SqliteStore;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "rollcall-rows-"));
  store = openStore(directory);
});

afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true });
});

/** What a cursor gives, the owner's octets kept as long as it says that they are the same. */
function drawn(cursor: RecordCursor): ResourceRecord[] {
  const records: ResourceRecord[] = [];
  let name = Name.root;
  while (cursor.next()) {
    const owner = Name.fromWire(cursor.owner.slice(0, cursor.ownerLength));
    if (cursor.ownerChanged) name = owner;
    expect(Buffer.compare(name.wire, owner.wire)).toBe(0);
    records.push({
      name,
      type: cursor.type,
      class: cursor.class,
      ttl: cursor.ttl,
      rdata: cursor.rdata.slice(0, cursor.rdataLength),
    });
  }
  return records;
}

/** The lines of a zone of these records, as the store gives them. */
function throughStore(records: readonly ResourceRecord[]): string[] {
  store.create(apex, [soaRecord(apex, 1), ...records], { ...someOrigin, cause: "create" });
  const snapshot = store.snapshot(apex);
  try {
    const lines = drawn(snapshot.cursor()).map(recordToLine);
    expect([...snapshot.records()].map(recordToLine)).toEqual(lines);
    return lines;
  } finally {
    snapshot.close();
  }
}

const canonical = (records: readonly ResourceRecord[]): string[] =>
  records
    .toSorted((x, y) => x.name.compare(y.name) || x.type - y.type || Buffer.compare(x.rdata, y.rdata))
    .map(recordToLine);

describe("a cursor", () => {
  test.each([0, 1, 511, 512, 513, 1024, 1300])(
    "gives each of %i records once, in canonical order",
    (count) => {
      const records = Array.from({ length: count }, (_, i) => a(`h${i}`, `10.0.${i >> 8}.${i & 255}`));
      expect(throughStore(records)).toEqual(canonical(records));
    },
  );

  test("knows what is usual from page to page", () => {
    const records = Array.from({ length: 2500 }, (_, i) => {
      if (i % 97 === 0) return a(`H${i}`, "192.0.2.1");
      if (i % 89 === 0) return aRecord(apex, `h${i}`, "192.0.2.1", 3600);
      return Math.floor(i / 700) % 2 === 0 ? serialText(i) : a(`h${i}`, "192.0.2.1");
    });
    expect(throughStore(records)).toEqual(canonical(records));
  });

  test("goes on within an RRset where a page ended", () => {
    const records = [
      ...Array.from({ length: 1500 }, (_, i) => a("many", `10.0.${i >> 8}.${i & 255}`)),
      a("@", "192.0.2.1"),
      a("z", "192.0.2.1"),
    ];
    expect(throughStore(records)).toEqual(canonical(records));
  });

  test("keeps letter case, of owners among which it changes too", () => {
    const records = [
      a("host", "192.0.2.1"),
      a("host.sub", "192.0.2.1"),
      a("Host.sub", "192.0.2.2"),
      a("HOST.sub", "192.0.2.3"),
      a("host.sub", "192.0.2.4"),
      record(Name.parse("x.smb.EXAMPLE."), RrType.A, 5, Uint8Array.of(192, 0, 2, 5)),
      record(Name.parse("SMB.example."), RrType.A, 5, Uint8Array.of(192, 0, 2, 6)),
    ];
    expect(throughStore(records)).toEqual(canonical(records));
  });

  test("keeps every octet of names and RDATA, the longest of each, and all TTLs", () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    const labels = [0, 52, 104, 156, 208].map((from) => all.slice(from, Math.min(from + 52, 256)));
    const long = [...Array.from({ length: 3 }, () => new Uint8Array(63)), new Uint8Array(49)];
    const records = [
      ...labels.map((octets) => record(apex.child(octets), RrType.TXT, 0, Uint8Array.of(0))),
      record(
        long.reduce((name, octets) => name.child(octets), apex),
        65_280,
        0x7fff_ffff,
        all,
      ),
      record(Name.parse("big", apex), 65_280, 1, new Uint8Array(65_535).fill(0xab)),
      record(Name.parse("empty", apex), 65_281, 1, new Uint8Array(0)),
    ];
    expect(throughStore(records)).toEqual(canonical(records));
  });

  test("reads nothing more once its snapshot is closed", () => {
    const records = Array.from({ length: 600 }, (_, i) => a(`h${i}`, "192.0.2.1"));
    store.create(apex, [soaRecord(apex, 1), ...records], { ...someOrigin, cause: "create" });
    const snapshot = store.snapshot(apex);
    const cursor = snapshot.cursor();
    const second = snapshot.cursor();
    cursor.next();
    snapshot.close();
    const closed = expect.objectContaining({ code: "STORE_CLOSED" });
    expect(() => second.next()).toThrow(closed);
    expect(() => drawn(cursor)).toThrow(closed);
  });
});

/** A row as SQLite writes it; octets as characters. */
function row(key: string, type: number, rdata: string, written = ""): string {
  return `${key}\0${written === "" ? " " : "+"}${rdata.length * 65_536 + type} 60 ${rdata}${written}`;
}

/** A cursor over one page of these rows. */
function page(...rows: string[]): RowCursor {
  const octets = Uint8Array.from(rows.join(""), (character) => character.charCodeAt(0));
  return new RowCursor({ first: () => octets, after: () => undefined }, apex);
}

const one = "\xc0\0\x02\x01";
const two = "\xc0\0\x02\x02";
const three = "\xc0\0\x02\x03";

describe("pages", () => {
  test("are read as SQLite writes them", () => {
    const rows = [
      row("", 1, one),
      row("b\0", 1, two),
      row("b\0", 1, three, "\x01B\x03smb\x07example\0"),
      row("b\0", 65_535, ""),
      row("b\0b\0", 1, one),
      `c\0\0=${two}`, // an A record of the usual TTL
    ];
    expect(drawn(page(...rows)).map(recordToLine)).toEqual([
      "Smb.example. 60 A 192.0.2.1",
      "b.Smb.example. 60 A 192.0.2.2",
      "B.smb.example. 60 A 192.0.2.3",
      "b.Smb.example. 60 TYPE65535 \\# 0",
      "b.b.Smb.example. 60 A 192.0.2.1",
      "c.Smb.example. 3600 A 192.0.2.2",
    ]);
  });

  test.each([
    ["owners", [row("b\0", 1, one), row("a\0", 1, one)]],
    ["an owner that comes again", [row("a\0", 1, one), row("b\0", 1, one), row("a\0", 1, two)]],
    ["a name behind what is below it", [row("b\0a\0", 1, one), row("b\0", 1, one)]],
    ["the apex", [row("b\0", 1, one), row("", 1, one)]],
    ["types", [row("b\0", 16, "\0"), row("b\0", 1, one)]],
    ["RDATA", [row("b\0", 1, two), row("b\0", 1, one)]],
    ["RDATA that begin alike", [row("b\0", 16, "\0\0"), row("b\0", 16, "\0")]],
    ["a row that comes twice", [row("b\0", 1, two), row("b\0", 1, two)]],
  ])("out of order are not believed: %s", (_what, rows) => {
    expect(() => drawn(page(...rows))).toThrow("another order");
  });

  const long = "a".repeat(63);
  test.each([
    ["a key that has no end", row("a".repeat(600), 1, one)],
    ["a key of a longer name than there is", row(`${long}\0${long}\0${long}\0${long}\0`, 1, one)],
    ["a written name that is too long", row("a\0", 1, one, `\x3f${long}`.repeat(5))],
    ["a written name that has no end", row("a\0", 1, one, "\x01a")],
    ["RDATA that are too long", row("a\0", 65_280, "x".repeat(65_536))],
  ])("of what cannot be are damage: %s", (_what, octets) => {
    expect(() => drawn(page(octets))).toThrow(expect.objectContaining({ code: "STORE_CORRUPT" }));
  });
});
