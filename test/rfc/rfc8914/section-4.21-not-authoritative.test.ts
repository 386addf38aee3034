/** RFC 8914: a refusal says why. */
import { describe, expect, test } from "vitest";
import { readEde } from "../../../src/wire/edns.ts";
import { serve } from "../../support/zones.ts";

const served = serve(["example.", "$TTL 60\n@ SOA ns h 1 900 300 86400 60\n NS ns\nns A 192.0.2.1\n"]);

describe("RFC 8914 §4.21", () => {
  test("a name that no zone here holds: REFUSED with Not Authoritative (20)", () => {
    const message = served.ask("www.elsewhere.test. A", { edns: {} });
    expect(message.header.rcode).toBe(5);
    const [option] = message.edns!.options;
    expect(option?.code).toBe(15);
    expect(readEde(option!.data)).toMatchObject({ code: 20 });
    expect(readEde(option!.data)!.text).not.toBe("");
  });

  test("without EDNS: REFUSED alone; and no refusal, no error option", () => {
    expect(served.askText("www.elsewhere.test. A")).toEqual({
      rcode: "REFUSED",
      flags: "",
      answer: [],
      authority: [],
      additional: [],
    });
    expect(served.ask("gone.example. A", { edns: {} }).edns?.options).toEqual([]);
  });

  test("a server with no zones refuses all", () => {
    expect(serve().askText("example. A").rcode).toBe("REFUSED");
    expect(serve().askText(". NS").rcode).toBe("REFUSED");
  });
});
