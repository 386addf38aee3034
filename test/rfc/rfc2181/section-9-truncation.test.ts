/** RFC 2181 §9: TC only where something needed was left out; and RFC 2181 §5: an RRset is never cut in two. */
import { describe, expect, test } from "vitest";
import { typeFromText } from "../../../src/wire/iana/type.ts";
import { decodeMessage, Flag } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { type AskOptions, queryOctets, serve } from "../../support/zones.ts";

let zone = "$TTL 60\n@ SOA ns h 1 900 300 86400 60\n NS ns\nns A 192.0.2.1\n";
// 24 addresses fit 512 octets beside the question; with their additional data 6 SRV records do not.
for (let i = 0; i < 24; i++) zone += `fits A 192.0.2.${i}\n`;
for (let i = 0; i < 32; i++) zone += `over A 192.0.2.${i}\n`;
for (let i = 0; i < 6; i++) zone += `_srv SRV 0 0 445 server-number-${i}\n`;
for (let i = 0; i < 6; i++) for (let j = 0; j < 4; j++) zone += `server-number-${i} A 192.0.${i}.${j}\n`;
zone += "alias CNAME over\n";
for (let i = 0; i < 4000; i++) zone += `huge A 10.0.${i >> 8}.${i & 255}\n`;
for (let i = 0; i < 4200; i++) zone += `beyond A 10.1.${i >> 8}.${i & 255}\n`;
for (let i = 0; i < 1600; i++)
  zone += `many SRV 0 0 445 target-${String(i).padStart(4, "0")}\ntarget-${String(i).padStart(4, "0")} A 192.0.2.1\n`;
const served = serve(["example.", zone]);

describe("RFC 2181 §9", () => {
  test("an RRset that fits is whole, without TC", () => {
    expect(served.ask("fits.example. A").answers).toHaveLength(24);
    expect(served.askText("fits.example. A").flags).toBe("aa");
  });

  test("an RRset that does not fit: TC, and none of it", () => {
    expect(served.askText("over.example. A")).toEqual({
      rcode: "NOERROR",
      flags: "aa tc",
      answer: [],
      authority: [],
      additional: [],
    });
    expect(served.askText("over.example. A", { tcp: true })).toMatchObject({ flags: "aa" });
    expect(served.ask("over.example. A", { tcp: true }).answers).toHaveLength(32);
  });

  test("the end of a chain that does not fit: TC", () => {
    expect(served.askText("alias.example. A").flags).toBe("aa tc");
  });

  test("additional data that do not fit are left out by whole RRsets, without TC", () => {
    const message = served.ask("_srv.example. SRV");
    expect(message.answers).toHaveLength(6);
    expect(message.header.flags & 0x0200).toBe(0);
    expect(message.additionals.length % 4).toBe(0);
    expect(message.additionals.length).toBeLessThan(24);
    expect(served.ask("_srv.example. SRV", { edns: { payload: 1232 } }).additionals).toHaveLength(24);
  });

  test("TCP: a large RRset is whole, and names beyond the reach of a pointer are left without additional data", () => {
    expect(served.ask("huge.example. A", { tcp: true }).answers).toHaveLength(4000);
    const many = served.ask("many.example. SRV", { tcp: true });
    expect(many.answers).toHaveLength(1600);
    expect(many.header.flags & 0x0200).toBe(0);
  });

  test("TCP: what no message can hold is SERVFAIL, for there is nothing to come again by", () => {
    expect(served.askText("beyond.example. A")).toMatchObject({ rcode: "NOERROR", flags: "aa tc" });
    expect(served.askText("beyond.example. A", { tcp: true })).toMatchObject({
      rcode: "SERVFAIL",
      answer: [],
    });
    expect(served.askText("beyond.example. A", { tcp: true }).flags).not.toContain("tc");
  });

  test("room kept for a signature is respected, down to a bare header: where nothing is left to say it is TC", () => {
    const tooLong: string[] = [];
    const silentlyEmpty: string[] = [];
    for (let maxLength = 40; maxLength <= 512; maxLength++) {
      for (const question of [
        "fits.example. A",
        "_srv.example. SRV",
        "gone.example. A",
        "alias.example. A",
      ]) {
        for (const options of [{}, { edns: {} }]) {
          const reply = served.exchange(octetsOf(question, options), { ...options, maxLength }) as Uint8Array;
          if (reply.length > maxLength) tooLong.push(`${question} in ${maxLength}`);
          const { header } = decodeMessage(reply);
          const empty = header.answerCount + header.authorityCount === 0;
          if (empty && (header.flags & Flag.TC) === 0) silentlyEmpty.push(`${question} in ${maxLength}`);
        }
      }
    }
    expect(tooLong).toEqual([]);
    expect(silentlyEmpty).toEqual([]);
  });
});

function octetsOf(question: string, options: AskOptions): Uint8Array {
  const [name, type] = question.split(" ");
  return queryOctets(Name.parse(name!), typeFromText(type!)!, options);
}
