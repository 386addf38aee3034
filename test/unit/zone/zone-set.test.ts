/** Names that other servers are asked about, among zones: the longest name decides. */
import { expect, test } from "vitest";
import { ELSEWHERE, QueryAnswerer } from "../../../src/protocol/query.ts";
import { rcodeToText } from "../../../src/wire/iana/code.ts";
import { RrClass } from "../../../src/wire/iana/class.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { decodeMessage, Flag } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { ZoneSet } from "../../../src/zone/zone-set.ts";
import { imageOf, queryOctets, SEED } from "../../support/zones.ts";
import type { AskOptions } from "../../support/zones.ts";

const ZONE = "$TTL 60\n@ SOA ns h 1 2 3 4 5\n NS ns\nns A 192.0.2.1\nout CNAME www.corp.example.\n";
const images = ["smb.example.", "local."].map((origin) => imageOf(origin, ZONE));
const zones = images.map(({ apex, reader }) => ({ apex, reader }));
const out = new Uint8Array(1232);

/** `elsewhere`, or the RCODE and how many records the answer has. */
function asked(elsewhere: readonly string[], text: string, options: AskOptions = { flags: Flag.RD }): string {
  const suffixes = elsewhere.map((name) => Name.parse(name));
  const answerer = new QueryAnswerer(new ZoneSet(SEED, zones, suffixes), { identity: "" });
  const query = queryOctets(Name.parse(text), RrType.A, options);
  const length = answerer.answer(query, query.length, out, 1232, true);
  if (length === ELSEWHERE) return "elsewhere";
  const { header, answers } = decodeMessage(out.slice(0, length));
  return `${rcodeToText(header.rcode)} ${answers.length}`;
}

test.each<[elsewhere: string[], name: string, outcome: string]>([
  [[], "www.corp.example.", "REFUSED 0"],
  [[], "host.", "REFUSED 0"],
  [["corp.example."], "www.corp.example.", "elsewhere"],
  [["corp.example."], "CORP.example.", "elsewhere"],
  [["corp.example."], "xcorp.example.", "REFUSED 0"],
  [["corp.example."], "host.", "elsewhere"],
  [["corp.example."], ".", "REFUSED 0"],
  [["."], "www.corp.example.", "elsewhere"],
  [["."], ".", "elsewhere"],
  [["."], "ns.smb.example.", "NOERROR 1"],
  [["."], "gone.smb.example.", "NXDOMAIN 0"],
  [["corp.local."], "gone.local.", "NXDOMAIN 0"],
  [["corp.local."], "host.corp.local.", "elsewhere"],
  // An alias that leads elsewhere ends there: what others say never gets into an authoritative answer.
  [["."], "out.smb.example.", "NOERROR 1"],
])("with %j elsewhere, %s: %s", (elsewhere, name, outcome) => {
  expect(asked(elsewhere, name)).toBe(outcome);
});

test("only for who wants recursion, and in class IN", () => {
  expect(asked(["."], "www.corp.example.", {})).toBe("REFUSED 0");
  expect(asked(["."], "www.corp.example.", { flags: Flag.RD, class: RrClass.ANY })).toBe("REFUSED 0");
});

test("who may not have it is REFUSED, with the question and the reason", () => {
  const answerer = new QueryAnswerer(new ZoneSet(SEED, zones, [Name.root]), { identity: "" });
  const query = queryOctets(Name.parse("www.corp.example."), RrType.A, { flags: Flag.RD, edns: {} });
  expect(answerer.answer(query, query.length, out, 1232, true)).toBe(ELSEWHERE);
  const { header, questions, edns } = decodeMessage(out.slice(0, answerer.refuse()));
  expect([rcodeToText(header.rcode), questions.length, edns!.options.length]).toEqual(["REFUSED", 1, 1]);
});
