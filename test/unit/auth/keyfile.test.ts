import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { KeyFileOptions } from "../../../src/auth/keyfile.ts";
import { generateKey, parseKeyFile, printKeyFile } from "../../../src/auth/keyfile.ts";
import { HMAC_MD5, TSIG_ALGORITHMS, algorithmFromText, keyRing } from "../../../src/auth/tsig/key.ts";
import { Name } from "../../../src/wire/name.ts";

/** As `tsig-keygen` of BIND 9.18 prints them. */
const GENERATED: Record<string, string> = {
  "tsig-keygen":
    'key "tsig-key" {\n\talgorithm hmac-sha256;\n\tsecret "CGmVAgqMfJTMrAVpLteR/afA/5evN5BJhDNMms2t+a4=";\n};\n',
  "tsig-keygen -a sha512 host.example":
    'key "host.example" {\n\talgorithm hmac-sha512;\n\tsecret "pM1Pl6ef2yaewfrHp9cwAYsDapZqkIWbGyvGf9dDc7dzOJ2GL6QLQz7kkrxhIEDsqhYA3at+t6pHiWlNcMVXTw==";\n};\n',
  "tsig-keygen -a HMAC-SHA1 Foo.Bar":
    'key "Foo.Bar" {\n\talgorithm hmac-sha1;\n\tsecret "xGiR1pE+24Q2nh3dN/S5Yt1jZT4=";\n};\n',
};

const SECRET = "AAECAwQFBgcICQoLDA0ODw==";
const BODY = `algorithm hmac-sha256; secret "${SECRET}";`;

function problemsOf(text: string, options: KeyFileOptions = {}): string[] {
  const { problems } = parseKeyFile(text, "keys.conf", options);
  return problems.map(({ line, column, code }) => `${line}:${column} ${code}`);
}

describe("a key file", () => {
  test.each(Object.entries(GENERATED))("of %s is read, and printed the same", (_, text) => {
    const { keys, problems } = parseKeyFile(text, "keys.conf");
    expect(problems).toEqual([]);
    expect(keys.map(printKeyFile)).toEqual([text]);
  });

  test("gives name, algorithm and secret", () => {
    const { keys } = parseKeyFile(GENERATED["tsig-keygen -a HMAC-SHA1 Foo.Bar"]!, "keys.conf");
    expect(keys).toHaveLength(1);
    expect(keys[0]!.name.toString()).toBe("Foo.Bar.");
    expect(keys[0]!.algorithm.text).toBe("hmac-sha1");
    expect(Buffer.from(keys[0]!.secret).toString("base64")).toBe("xGiR1pE+24Q2nh3dN/S5Yt1jZT4=");
    expect(keys[0]!.macLength).toBeUndefined();
  });

  test("may hold several keys and all three kinds of comment, with and without quotes", () => {
    const text = `
      // the DHCP server
      key dhcp.smb.example. { algorithm "HMAC-SHA256"; secret ${SECRET}; };
      # the secondaries
      key "xfr" { /* in either
        order */ secret "${SECRET}"; algorithm sha1; };
      key c{algorithm sha512;secret ${SECRET};};key d{${BODY}};`;
    const { keys, problems } = parseKeyFile(text, "keys.conf");
    expect(problems).toEqual([]);
    const read = keys.map(({ name, algorithm }) => `${name.toString()} ${algorithm.text}`);
    expect(read).toEqual([
      "dhcp.smb.example. hmac-sha256",
      "xfr. hmac-sha1",
      "c. hmac-sha512",
      "d. hmac-sha256",
    ]);
  });

  test.each([
    ["nothing", ""],
    ["only comments", "# a\n// b\n/* c\n*/"],
    ["stray semicolons", `;;key a { ${BODY};; };;`],
    ["carriage returns", `key "a" {\r\n\talgorithm hmac-sha256;\r\n\tsecret "${SECRET}";\r\n};\r\n`],
    ["a byte order mark", `\u{feff}key a { ${BODY} };`],
    ["slashes in an unquoted secret", "key a { algorithm sha1; secret AA//AA==; };"],
    ["spaces in a quoted secret", 'key a { algorithm sha1; secret " AAEC AwQF "; };'],
    ["a comment right after a semicolon", `key a { algorithm sha1;//x\nsecret ${SECRET};# y\n};// z`],
  ])("may hold %s", (_, text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  test.each([
    ["hmac-sha256-128", 16],
    ["hmac-sha512-256", 32],
    ["hmac-sha1-80", 10],
    ["hmac-sha256-256", 32],
  ])("may cut MACs: %s", (algorithm, macLength) => {
    const text = `key "a" {\n\talgorithm ${algorithm};\n\tsecret "${SECRET}";\n};\n`;
    const { keys } = parseKeyFile(text, "f");
    expect(keys[0]!.macLength).toBe(macLength);
    expect(printKeyFile(keys[0]!)).toBe(text);
  });

  test("takes hmac-md5 only when it is allowed", () => {
    const text = `key a { algorithm hmac-md5; secret "${SECRET}"; };`;
    expect(problemsOf(text)).toEqual(["1:19 KEYFILE_MD5"]);
    const { keys, problems } = parseKeyFile(text, "f", { allowMd5: true });
    expect(problems).toEqual([]);
    expect(keys[0]!.algorithm).toBe(HMAC_MD5);
  });
});

describe("a mistake in a key file", () => {
  test.each([
    ["another statement", `options { a { b; }; };\nkey a { ${BODY} };`, ["1:1 KEYFILE_STATEMENT"]],
    ["a bare word", "hello", ["1:1 KEYFILE_STATEMENT"]],
    ["a key without a name", `key { ${BODY} };`, ["1:5 KEYFILE_SYNTAX"]],
    ["a key without braces", "key a;", ["1:6 KEYFILE_SYNTAX"]],
    ["a name that is none", `key "a..b" { ${BODY} };`, ["1:5 KEYFILE_NAME"]],
    ["a second key of the name", `key a { ${BODY} };\nkey "A." { ${BODY} };`, ["2:5 KEYFILE_DUPLICATE"]],
    ["an unknown clause", `key a { ${BODY} colour red; };`, [`1:${9 + BODY.length + 1} KEYFILE_STATEMENT`]],
    ["an unknown algorithm", `key a { algorithm hmac-sha3; secret ${SECRET}; };`, ["1:19 KEYFILE_ALGORITHM"]],
    ["too deep a cut", `key a { algorithm hmac-sha256-120; secret ${SECRET}; };`, ["1:19 KEYFILE_ALGORITHM"]],
    [
      "a cut of no whole octets",
      `key a { algorithm hmac-sha256-129; secret ${SECRET}; };`,
      ["1:19 KEYFILE_ALGORITHM"],
    ],
    [
      "a cut beyond the digest",
      `key a { algorithm hmac-sha1-168; secret ${SECRET}; };`,
      ["1:19 KEYFILE_ALGORITHM"],
    ],
    ["an empty secret", 'key a { algorithm sha1; secret ""; };', ["1:32 KEYFILE_SECRET"]],
    ["a secret that is not base64", 'key a { algorithm sha1; secret "no-good!"; };', ["1:32 KEYFILE_SECRET"]],
    ["a secret without its padding", 'key a { algorithm sha1; secret "AAE"; };', ["1:32 KEYFILE_SECRET"]],
    ["a secret with stray bits", 'key a { algorithm sha1; secret "AB=="; };', ["1:32 KEYFILE_SECRET"]],
    ["no algorithm", `key a { secret ${SECRET}; };`, ["1:1 KEYFILE_INCOMPLETE"]],
    ["no secret", "key a { algorithm sha1; };", ["1:1 KEYFILE_INCOMPLETE"]],
    ["neither", "key a { };", ["1:1 KEYFILE_INCOMPLETE", "1:1 KEYFILE_INCOMPLETE"]],
    ["two algorithms", `key a { algorithm sha1; ${BODY} };`, ["1:25 KEYFILE_REPEATED"]],
    ["a missing semicolon", `key a { algorithm sha1 secret ${SECRET}; };`, ["1:19 KEYFILE_SYNTAX"]],
    ["a missing semicolon at the end", `key a { ${BODY} }`, [`1:${9 + BODY.length + 1} KEYFILE_SYNTAX`]],
    ["a missing value", `key a { algorithm; secret ${SECRET}; };`, ["1:18 KEYFILE_SYNTAX"]],
    ["an unclosed key", `key a { ${BODY}\nkey b { ${BODY} };`, ["1:1 KEYFILE_SYNTAX"]],
    ["an unclosed quote", `key a { algorithm sha1; secret "${SECRET}; };`, ["1:32 KEYFILE_SYNTAX"]],
    ["an unclosed comment", `key a { ${BODY} };\n /* and so on`, ["2:2 KEYFILE_SYNTAX"]],
    ["a brace too many", `key a { ${BODY} };\n};`, ["2:1 KEYFILE_SYNTAX"]],
  ])("%s", (_, text, expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  test("does not hide the others, nor the keys that are right", () => {
    const text = [
      `key "good" { ${BODY} };`,
      `key "a..b" { algorithm rot13; secret "%"; };`,
      "include more;",
      `key "good" { ${BODY} };`,
      `key "fine" { ${BODY} }`,
    ].join("\n");
    const { keys, problems } = parseKeyFile(text, "keys.conf");
    expect(problems.map(({ line, code }) => `${line} ${code}`)).toEqual([
      "2 KEYFILE_NAME",
      "2 KEYFILE_ALGORITHM",
      "2 KEYFILE_SECRET",
      "3 KEYFILE_STATEMENT",
      "4 KEYFILE_DUPLICATE",
      "5 KEYFILE_SYNTAX",
    ]);
    expect(keys.map(({ name }) => name.toString())).toEqual(["good.", "fine."]);
  });

  test("says where, what and what to do", () => {
    expect(parseKeyFile("key a { algorithm md6; secret AAEC; };", "keys.conf").problems).toEqual([
      {
        code: "KEYFILE_ALGORITHM",
        file: "keys.conf",
        line: 1,
        column: 19,
        message: '"md6" is not an algorithm Rollcall knows',
        advice: "use one of hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512",
      },
    ]);
  });

  test("a name used in another file is a duplicate", () => {
    const known = keyRing(parseKeyFile(`key a { ${BODY} };`, "one.conf").keys);
    expect(problemsOf(`key A { ${BODY} };`, { known })).toEqual(["1:5 KEYFILE_DUPLICATE"]);
  });

  test.each([
    [
      "in place of the algorithm",
      (secret: string) => `key a { algorithm "${secret}"; secret hmac-sha256; };`,
    ],
    ["without its clause", (secret: string) => `key a { ${secret}; };`],
    ["outside a key", (secret: string) => secret],
    ["cut short", (secret: string) => `key a { algorithm sha1; secret "${secret.slice(0, -1)}"; };`],
    ["with an unclosed quote", (secret: string) => `key a { algorithm sha1; secret "${secret}`],
  ])("never quotes a secret: %s", (_, text) => {
    const secret = "CGmVAgqMfJTMrAVpLteR/afA/5evN5BJhDNMms2t+a4=";
    const { problems } = parseKeyFile(text(secret), "f");
    expect(problems).not.toEqual([]);
    expect(JSON.stringify(problems)).not.toContain("CGmVAgqMfJ");
  });
});

describe("a generated key", () => {
  test.each(TSIG_ALGORITHMS)(
    "for $text has a secret as long as its digest, and is read back",
    (algorithm) => {
      const key = generateKey(Name.parse("dhcp.smb.example"), algorithm);
      expect(key.secret).toHaveLength(algorithm.macLength);
      const { keys, problems } = parseKeyFile(printKeyFile(key), "f", { allowMd5: true });
      expect(problems).toEqual([]);
      expect(keys).toEqual([key]);
    },
  );

  test("is another each time", () => {
    const [one, other] = [0, 1].map(() => generateKey(Name.root, TSIG_ALGORITHMS[3]!));
    expect(one!.secret).not.toEqual(other!.secret);
  });
});

test
  .skipIf(spawnSync("tsig-keygen", ["-h"]).error !== undefined)
  .each(["sha1", "sha224", "sha256", "sha384", "sha512"])(
  "what tsig-keygen prints now is read, and printed the same: %s",
  (algorithm) => {
    const { stdout } = spawnSync("tsig-keygen", ["-a", algorithm, "x.smb.example"], { encoding: "utf8" });
    expect(parseKeyFile(stdout, "f").keys.map(printKeyFile)).toEqual([stdout]);
  },
);

test.each([
  ["hmac-sha256", "hmac-sha256"],
  ["SHA256", "hmac-sha256"],
  ["hmac-sha256.", "hmac-sha256"],
  ["HMAC-MD5.SIG-ALG.REG.INT.", "hmac-md5"],
  ["md5", "hmac-md5"],
  ["", undefined],
  ["..", undefined],
  ["hmac-sha256-128", undefined],
  ["gss-tsig", undefined],
])("the algorithm %j is %s", (text, expected) => {
  expect(algorithmFromText(text)?.text).toBe(expected);
});
