/** `ptr = true`: what nsupdate changes in the forward zone, dig finds in the reverse zone, and both secondaries are told. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HistoryJson } from "../../src/control/verbs.ts";
import { Opcode } from "../../src/wire/iana/code.ts";
import { decodeMessage } from "../../src/wire/message.ts";
import { axfr, dig, nsupdate, serialOf } from "../support/clients.ts";
import { describeWith } from "../support/peers.ts";
import { RollcallServer } from "../support/rollcall.ts";
import { FORWARD_ZONE, MASTER, startUpdateServer } from "../support/update-server.ts";

const REVERSE = "2.0.192.in-addr.arpa";

describeWith(["nsupdate", "dig"], "reverse records", () => {
  const secondary = createSocket("udp4");
  let server: RollcallServer;
  beforeAll(async () => {
    secondary.bind(0, "127.0.0.1");
    await once(secondary, "listening");
    server = await startUpdateServer({
      algorithms: ["hmac-sha256"],
      rules: `ptr = true\n[[zone.update]]\nnet = "127.0.0.0/8"\nnames = ["*.lab"]\n`,
      reverse: `notify = ["127.0.0.1:${secondary.address().port}"]\n`,
    });
  });
  afterAll(async () => {
    await server.remove();
    secondary.close();
  });

  const send = async (...commands: string[]): Promise<readonly string[]> =>
    (await nsupdate(server, commands, "-y", MASTER)).failures;
  const pointerOf = async (last: number): Promise<string[]> =>
    (await dig(server, "-x", `192.0.2.${last}`)).answer.map((line) => line.split(" ").slice(1).join(" "));
  const history = async (zone: string): Promise<HistoryJson[]> => {
    const entries: HistoryJson[] = [];
    const onData = (part: unknown): void => void entries.push(...(part as HistoryJson[]));
    await server.control("zone.history", { zone: `${zone}.`, limit: 1 }, { onData });
    return entries;
  };

  test("come with an address, by NOTIFY and IXFR and with a history of their own", async () => {
    const [forward, reverse] = [await serialOf(server, "smb.example"), await serialOf(server, REVERSE)];
    const told = new Promise<string>((resolve) =>
      secondary.on("message", (bytes) => {
        const { header, questions, answers } = decodeMessage(bytes);
        if (header.opcode !== Opcode.NOTIFY || answers.length === 0) return;
        const serial = new DataView(answers[0]!.rdata.slice(-20).buffer).getUint32(0);
        if (serial > reverse) resolve(`${questions[0]!.name.toString()} ${serial}`);
      }),
    );
    expect(await send("update add p1.smb.example 1200 A 192.0.2.11")).toEqual([]);
    expect(await pointerOf(11)).toEqual(["1200 IN PTR p1.smb.example."]);
    expect(await serialOf(server, "smb.example")).toBe(forward + 1);
    expect(await serialOf(server, REVERSE)).toBe(reverse + 1);
    expect(await told).toBe(`${REVERSE}. ${reverse + 1}`);
    // One that came as a whole zone would have the PTR of the zone's file too.
    const { text } = await dig(server, REVERSE, `ixfr=${reverse}`, "+tcp");
    expect(
      [...text.matchAll(/^(\S+)\s.*\sPTR\s(.*)$/gm)].map(([, owner, host]) => `${owner} ${host}`),
    ).toEqual(["11.2.0.192.in-addr.arpa. p1.smb.example."]);
    expect(await history(REVERSE)).toMatchObject([
      {
        cause: "ptr",
        note: `with smb.example. serial ${forward + 1}`,
        actor: { kind: "key", name: "hmac-sha256.key.example.", from: "127.0.0.1" },
        diff: { removed: [], added: [{ name: "11.2.0.192.in-addr.arpa.", data: "p1.smb.example." }] },
      },
    ]);
    await server.logged(({ msg, zone }) => msg === "reverse records" && zone === `${REVERSE}.`);
  });

  test("move with it, and go with it", async () => {
    await send("update add p2.smb.example 60 A 192.0.2.21", "update add p2.smb.example 60 A 192.0.2.22");
    await send("update delete p2.smb.example A 192.0.2.21", "update add p2.smb.example 60 A 192.0.2.23");
    expect([await pointerOf(21), await pointerOf(22), await pointerOf(23)]).toEqual([
      [],
      ["60 IN PTR p2.smb.example."],
      ["60 IN PTR p2.smb.example."],
    ]);
    await send("update delete p2.smb.example");
    expect([await pointerOf(22), await pointerOf(23)]).toEqual([[], []]);
  });

  test("of somebody else, or set by hand, are left", async () => {
    await send("update add 31.2.0.192.in-addr.arpa 60 PTR printer.elsewhere.example.");
    await send("update add p3.smb.example 60 A 192.0.2.31");
    expect(await pointerOf(31)).toEqual(["60 IN PTR printer.elsewhere.example."]);
    await send("update delete p3.smb.example");
    expect(await pointerOf(31)).toEqual(["60 IN PTR printer.elsewhere.example."]);
  });

  test("that are missing are made good when the host registers again, if it may change the name", async () => {
    await send("update add p4.lab.smb.example 60 A 192.0.2.41");
    await send("update delete 41.2.0.192.in-addr.arpa PTR");
    const forward = await serialOf(server, "smb.example");
    expect(await send("update add p4.lab.smb.example 60 A 192.0.2.41")).toEqual([]);
    expect(await pointerOf(41)).toEqual(["60 IN PTR p4.lab.smb.example."]);
    expect(await serialOf(server, "smb.example")).toBe(forward);
    expect(await history(REVERSE)).toMatchObject([{ cause: "ptr", note: "addresses registered again" }]);

    await send("update add p5.smb.example 60 A 192.0.2.42");
    await send("update delete 42.2.0.192.in-addr.arpa PTR");
    // Nothing would change in the forward zone, so nobody is refused; but no right, no PTR.
    const unsigned = await nsupdate(server, ["update add p5.smb.example 60 A 192.0.2.42"]);
    expect(unsigned.failures).toEqual([]);
    expect(await pointerOf(42)).toEqual([]);
  });

  test("do not come with an update that is refused", async () => {
    const { failures } = await nsupdate(server, [
      "update add p6.lab.smb.example 60 A 192.0.2.51",
      "update add p6.smb.example 60 A 192.0.2.52",
    ]);
    expect(failures).toEqual(["REFUSED"]);
    expect([await pointerOf(51), await pointerOf(52)]).toEqual([[], []]);
  });

  test("do not follow a rollback or an import, and each zone can be rolled back by itself", async () => {
    await send("update add p7.smb.example 60 A 192.0.2.61");
    const [entry] = await history("smb.example");
    const back = ["zone", "rollback", "smb.example", "--to", String(entry!.serialBefore), "--yes"];
    expect((await server.cli(...back)).code).toBe(0);
    expect((await dig(server, "p7.smb.example", "A")).status).toBe("NXDOMAIN");
    expect(await pointerOf(61)).toEqual(["60 IN PTR p7.smb.example."]);
    const [pointer] = await history(REVERSE);
    const too = ["zone", "rollback", REVERSE, "--to", String(pointer!.serialBefore), "--yes"];
    expect((await server.cli(...too)).code).toBe(0);
    expect(await pointerOf(61)).toEqual([]);
  });

  test("are there after kill -9", async () => {
    await send("update add p8.smb.example 60 A 192.0.2.71", "update add p8.smb.example 60 A 192.0.2.72");
    await server.down("SIGKILL");
    await server.up();
    const names = (await axfr(server, REVERSE)).filter((line) => line.includes("p8."));
    expect(names.map((line) => line.split(" ")[0])).toEqual([
      "71.2.0.192.in-addr.arpa.",
      "72.2.0.192.in-addr.arpa.",
    ]);
  });
});

describeWith(["nsupdate"], "a zone whose addresses have no reverse zone here", () => {
  test("is told at the start, once, and takes updates all the same", async () => {
    const server = await RollcallServer.start({
      config: `[[zone]]\nname = "smb.example"\nfile = "smb.zone"\nptr = true\n[[zone.update]]\nnet = "127.0.0.0/8"\n`,
      files: { "smb.zone": FORWARD_ZONE },
    });
    try {
      expect(server.log.filter(({ code }) => code === "CONFIG_PTR")).toHaveLength(1);
      expect((await nsupdate(server, ["update add a.smb.example 60 A 192.0.2.1"])).code).toBe(0);
    } finally {
      await server.remove();
    }
  });
});
