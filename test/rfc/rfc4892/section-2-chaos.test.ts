/** RFC 4892: the server about itself, in class CHAOS. */
import { describe, expect, test } from "vitest";
import { answerChaos } from "../../../src/protocol/chaos.ts";
import { RrClass } from "../../../src/wire/iana/class.ts";
import { typeFromText } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";

const settings = { identity: "ns1.site-a", version: "rollcall" };
const ask = (question: string, given = settings): ReturnType<typeof answerChaos> => {
  const [name, type] = question.split(" ");
  return answerChaos({ name: Name.parse(name!), type: typeFromText(type!)!, class: RrClass.CH }, given);
};

describe("RFC 4892 §2", () => {
  test.each([
    ["id.server. TXT", "ns1.site-a"],
    ["hostname.bind. TXT", "ns1.site-a"],
    ["version.bind. TXT", "rollcall"],
    ["version.server. TXT", "rollcall"],
    ["VERSION.Bind. TXT", "rollcall"],
    ["id.server. ANY", "ns1.site-a"],
  ])("%s: %s, not to be cached", (question, text) => {
    const { rcode, answers } = ask(question);
    expect(rcode).toBe(0);
    expect(answers).toHaveLength(1);
    expect(answers[0]).toMatchObject({ type: 16, class: RrClass.CH, ttl: 0 });
    expect(answers[0]!.name.toString()).toBe(question.split(" ")[0]);
    expect(new TextDecoder().decode(answers[0]!.rdata.subarray(1))).toBe(text);
    expect(answers[0]!.rdata[0]).toBe(text.length);
  });

  test("another type: no data; another name: refused", () => {
    expect(ask("id.server. A")).toEqual({ rcode: 0, answers: [] });
    expect(ask("authors.bind. TXT")).toEqual({ rcode: 5, answers: [] });
  });

  test("what is configured empty is refused", () => {
    expect(ask("version.bind. TXT", { identity: "x", version: "" })).toEqual({ rcode: 5, answers: [] });
    expect(ask("id.server. TXT", { identity: "", version: "x" })).toEqual({ rcode: 5, answers: [] });
  });

  test("a text longer than a character-string is cut", () => {
    const { answers } = ask("id.server. TXT", { identity: "é".repeat(300), version: "" });
    expect(answers[0]!.rdata).toHaveLength(256);
  });
});
