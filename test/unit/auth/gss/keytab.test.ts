/** What a keytab holds, read for messages (MIT's file format, version 2). */
import { describe, expect, test } from "vitest";
import { readKeytab } from "../../../../src/auth/gss/keytab.ts";
import { keytabFile } from "../../../support/keytab.ts";
import { fuzz, fuzzSettings } from "../../../support/mutate.ts";

const TWO = keytabFile(
  { components: ["DNS", "ns1.smb.example"], realm: "SMB.EXAMPLE", version: 2, encryption: 18 },
  { components: ["NODE1$"], realm: "SMB.EXAMPLE", version: 300, encryption: 99 },
);

test("principals, versions and encryptions", () => {
  expect(readKeytab(TWO)).toEqual([
    { principal: "DNS/ns1.smb.example@SMB.EXAMPLE", version: 2, encryption: "aes256-cts-hmac-sha1-96" },
    { principal: "NODE1$@SMB.EXAMPLE", version: 300, encryption: "99" },
  ]);
});

test("a key that was deleted leaves a hole", () => {
  const holed = TWO.slice();
  const view = new DataView(holed.buffer);
  view.setInt32(2, -view.getInt32(2));
  expect(readKeytab(holed)).toMatchObject([{ principal: "NODE1$@SMB.EXAMPLE" }]);
});

test("characters that mean something in a principal are escaped", () => {
  const file = keytabFile({ components: ["a/b@c\\"], realm: "R", version: 1, encryption: 17 });
  expect(readKeytab(file)).toMatchObject([{ principal: String.raw`a\/b\@c\\@R` }]);
});

describe("what is no keytab", () => {
  test.each([
    ["nothing", new Uint8Array(0), /not a keytab/],
    ["text", Uint8Array.from(Buffer.from('key "x" {}')), /not a keytab/],
    ["version 1", Uint8Array.of(5, 1, 0, 0), /version 1/],
    ["half a file", TWO.slice(0, 40), /middle of a key/],
    ["a key without its fields", Uint8Array.of(5, 2, 0, 0, 0, 2, 0, 1), /malformed/],
  ])("%s", (_, bytes, reason) => {
    expect(readKeytab(bytes)).toMatch(reason);
  });
});

test("any octets get an answer", () => {
  let read = 0;
  fuzz([TWO], fuzzSettings(5_000), (mutant) => {
    if (typeof readKeytab(mutant) !== "string") read++;
  });
  expect(read).toBeGreaterThan(100);
});
