/** Anything at all as a question: the answerer never throws, never answers too long, and what it says can be read. */
import { expect, test } from "vitest";
import { NOT_A_QUERY, SILENCE } from "../../src/protocol/query.ts";
import { decodeMessage } from "../../src/wire/message.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import { fuzz, fuzzSettings } from "../support/mutate.ts";
import { imageOf, nsid, queryOctets, Served } from "../support/zones.ts";
import { corpus } from "./corpus.ts";

const label63 = "l".repeat(63);
let text = `$TTL 60
@ SOA ns h 1 900 300 86400 60
 NS ns
 NS ns.sub
 MX 10 ns
ns A 192.0.2.1
ns AAAA 2001:db8::1
*.wild A 192.0.2.2
*.alias CNAME x.alias
chain CNAME chain2
chain2 CNAME host.moved
moved DNAME new
host.new A 192.0.2.3
grow DNAME ${label63}.grow
sub NS ns.sub
sub NS ns.other.test.
ns.sub A 192.0.2.4
${label63}.${label63}.${label63} TXT "long"
_smb._tcp SRV 0 0 445 ns
`;
for (let i = 0; i < 40; i++)
  text += `_smb._tcp SRV 0 0 445 n${i}\nn${i} A 192.0.2.${i}\nbig TXT "${"x".repeat(200)}${i}"\n`;
const images = [
  imageOf("example.", text),
  imageOf(".", "$TTL 60\n@ SOA ns.example. h 1 2 3 4 5\n NS ns.example.\nexample NS ns.example.\n"),
];
const served = [
  new Served(images, "an identity of some length"),
  new Served(images.slice(0, 1)),
  new Served([]),
];

const names = [
  ".",
  "example.",
  "ns.example.",
  "x.wild.example.",
  "y.alias.example.",
  "chain.example.",
  "a.b.grow.example.",
  "sub.example.",
  "www.sub.example.",
  "gone.example.",
  "big.example.",
  "_smb._tcp.example.",
  `${label63}.${label63}.${label63}.example.`,
  "other.test.",
];
const types = [
  RrType.A,
  RrType.AAAA,
  RrType.NS,
  RrType.SOA,
  RrType.TXT,
  RrType.SRV,
  RrType.MX,
  RrType.DS,
  RrType.CNAME,
  RrType.ANY,
];
const questions = names.flatMap((name) =>
  types.flatMap((type) => [
    queryOctets(Name.parse(name), type),
    queryOctets(Name.parse(name), type, { edns: { payload: 1232, dnssecOk: true }, options: [nsid] }),
  ]),
);

test("100,000 mutants of questions, and of every other kind of message", () => {
  const kinds = new Map<string, number>();
  const count = (kind: string): void => void kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const out = new Uint8Array(65_535);
  const guard = 0x5a;
  fuzz([...questions, ...corpus], fuzzSettings(100_000), (mutant, random) => {
    const { answerer } = random.pick(served);
    const udp = random.below(3) > 0;
    const maxLength = random.pick([40, 200, 512, 512, 1232, 1232, 4096, 65_535]);
    // Octets behind the message are not part of it: the answerer is told its length.
    const request = new Uint8Array(mutant.length + 16).fill(random.below(256));
    request.set(mutant);
    const limit = udp ? Math.min(maxLength, 1232) : maxLength;
    out.fill(guard, limit, limit + 300);
    const length = answerer.answer(request, mutant.length, out, maxLength, udp);
    if (length === SILENCE || length === NOT_A_QUERY) {
      if (length === SILENCE && mutant.length >= 12 && (mutant[2]! & 0x80) === 0)
        throw new Error("a query in silence");
      count(length === SILENCE ? "silence" : "other");
      return;
    }
    if (length > limit || length < 12) throw new Error(`${length} octets, and ${limit} are allowed`);
    if (out.subarray(limit, limit + 300).some((octet) => octet !== guard)) {
      throw new Error("written beyond the limit");
    }
    const answer = out.slice(0, length);
    const message = decodeMessage(answer);
    const { header } = message;
    if (message.trailing !== 0) throw new Error("octets behind the answer");
    if (answer[0] !== mutant[0] || answer[1] !== mutant[1]) throw new Error("another ID");
    if ((header.flags & 0x8000) === 0 || (header.flags & 0x7800) !== 0)
      throw new Error("not a response to a query");
    if ((header.flags & 0x0100) !== (mutant[2]! & 1) << 8) throw new Error("another RD");
    if (udp && message.edns === undefined && length > 512) throw new Error("over 512 octets without EDNS");
    const question = message.questions[0];
    if (
      question !== undefined &&
      answer.subarray(12, 12 + question.name.wire.length).some((octet, i) => octet !== mutant[12 + i])
    ) {
      throw new Error("another question");
    }
    count(String(header.rcode));
    if ((header.flags & 0x0200) !== 0) count("TC");
  });
  // All kinds of answers were met: the mutants are neither all junk nor all sound.
  for (const kind of ["silence", "other", "0", "1", "3", "5", "TC"])
    expect(kinds.get(kind) ?? 0).toBeGreaterThan(100);
});
