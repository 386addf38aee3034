/** Peers that send what is none, too much, or nothing: the server stays up, its zones as they are, its counters honest. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Opcode, Rcode } from "../../src/wire/iana/code.ts";
import { RrClass } from "../../src/wire/iana/class.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage, Flag } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import { addition, ask, askText, question } from "../support/exchange.ts";
import { fuzzSettings, mutate, Random } from "../support/mutate.ts";
import { eventually } from "../support/process.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";
import { line, ORIGIN } from "../support/rr.ts";
import { askTcp, TcpClient, UdpClient } from "../support/sockets.ts";

const CONFIG = `
[limits]
tcp_idle = "1s"
tcp_connections = 40
tcp_connections_per_address = 30
tcp_write_buffer = "64KiB"

[[zone]]
name = "smb.example"
file = "smb.zone"
transfer = [{ net = "127.0.0.0/8" }]

# Whatever a mutant still is, here it may be.
[[zone]]
name = "open.example"
file = "smb.zone"
[[zone.update]]
net = "127.0.0.0/8"

[[zone]]
name = "big.example"
file = "big.zone"
transfer = [{ net = "127.0.0.0/8" }]
`;

/** Some 20 MB as a transfer: more than any socket buffer takes in. */
const BIG_ZONE = `${SMALL_ZONE}$GENERATE 1-20000 h$ IN TXT "${"x".repeat(250)}" "${"y".repeat(250)}" "${"z".repeat(250)}" "${"w".repeat(200)}"\n`;

let server: RollcallServer;
beforeAll(async () => {
  server = await RollcallServer.start({
    config: CONFIG,
    files: { "smb.zone": SMALL_ZONE, "big.zone": BIG_ZONE },
  });
});
afterAll(() => server.remove());

const counters = async (): Promise<Readonly<Record<string, number>>> => (await server.status()).counters;

/** What a server shows that nothing has happened to. */
const WELL = {
  udp: ["fs1.smb.example. 300 A 192.0.2.1"],
  tcp: Rcode.NOERROR,
  bugs: 0,
  zone: { serial: 1, records: 6 },
  errors: [],
};

/** How it answers, and whether anything went wrong inside. */
async function health(): Promise<unknown> {
  const { answer } = await askText(server, "fs1.smb.example. A");
  const tcp = await askTcp(server, question("fs1.smb.example. A"));
  const { counters, zones } = await server.status();
  const { serial, records } = zones.find(({ name }) => name === "smb.example.")!;
  return {
    udp: answer,
    tcp: tcp === undefined ? "no answer" : decodeMessage(tcp).header.rcode,
    bugs: counters["bugs"],
    zone: { serial, records },
    errors: server.log.filter(({ level }) => Number(level) >= 50),
  };
}

function update(zone: string, ...lines: string[]): Uint8Array {
  return encodeMessage({
    id: 0x1111,
    flags: Opcode.UPDATE << 11,
    rcode: 0,
    questions: [{ name: Name.parse(zone), type: RrType.SOA, class: RrClass.IN }],
    authorities: lines.map(line),
  });
}

const transferOf = (zone: string, type: number): Uint8Array =>
  encodeMessage({
    id: 0x2222,
    flags: 0,
    rcode: 0,
    questions: [{ name: Name.parse(zone), type, class: RrClass.IN }],
  });

const CORPUS: readonly Uint8Array[] = [
  question("fs1.smb.example. A", 1, { edns: {} }),
  question("nobody.smb.example. SOA", 2),
  question("version.bind. TXT", 3, { class: RrClass.CH }),
  addition(4, "mutant 60 A 192.0.2.1", "mutant 60 TXT hello"),
  update("smb.example.", "fs1 0 ANY A", "fs1 60 IN A 192.0.2.7", "fs2 0 NONE A 192.0.2.2", "fs2 0 ANY ANY"),
  update(
    "open.example.",
    "fs1.open.example. 0 ANY A",
    "fs1.open.example. 60 IN A 192.0.2.7",
    "fs2.open.example. 0 ANY ANY",
  ),
  update(
    "open.example.",
    "m.open.example. 60 IN SRV 0 0 445 fs1.open.example.",
    "m.open.example. 60 IN CNAME fs1.open.example.",
  ),
  transferOf("smb.example.", RrType.AXFR),
  transferOf("smb.example.", RrType.IXFR),
  encodeMessage({
    id: 5,
    flags: Opcode.NOTIFY << 11,
    rcode: 0,
    questions: [{ name: ORIGIN, type: RrType.SOA, class: RrClass.IN }],
  }),
];

describe("malformed messages", () => {
  const { seed, runs } = fuzzSettings(600);

  test(`${runs} mutants by UDP (FUZZ_SEED=${seed})`, async () => {
    const random = new Random(seed);
    const client = await UdpClient.open(server);
    for (let i = 0; i < runs; i++) {
      await client.send(mutate(random, random.pick(CORPUS), CORPUS));
      // Not faster than they are read, so that it is the server and not the kernel that sees them.
      if (i % 50 === 49) await client.ask(question("fs1.smb.example. A", 0x7000 + i));
    }
    client.close();
    expect(await health()).toEqual(WELL);
  });

  test(`${runs} mutants by TCP (FUZZ_SEED=${seed})`, async () => {
    const random = new Random(seed + 1);
    for (let connection = 0; connection < runs / 20; connection++) {
      const client = await TcpClient.open(server);
      for (let i = 0; i < 20; i++) client.send(mutate(random, random.pick(CORPUS), CORPUS));
      client.socket.end();
      await client.closed();
      client.close();
    }
    expect(await health()).toEqual(WELL);
  });

  test("octets without sense by TCP", async () => {
    const random = new Random(seed + 2);
    for (let i = 0; i < 20; i++) {
      const client = await TcpClient.open(server);
      client.socket.end(Uint8Array.from({ length: 1 + random.below(3000) }, () => random.below(256)));
      await client.closed();
      client.close();
    }
    expect(await health()).toEqual(WELL);
  });
});

describe("what is not to be answered", () => {
  test("answers, headers cut short, nothing at all: silence", async () => {
    const client = await UdpClient.open(server);
    const answer = question("fs1.smb.example. A", 1);
    answer[2] = answer[2]! | 0x80; // QR
    const updateAnswer = addition(2, "x 60 A 192.0.2.1");
    updateAnswer[2] = updateAnswer[2]! | 0x80;
    for (const message of [answer, updateAnswer, answer.subarray(0, 11), new Uint8Array(0), Uint8Array.of(0)])
      await client.send(message);
    // What comes after them has its answer, and it is the only one.
    await client.ask(question("fs1.smb.example. A", 0x7001));
    expect(client.stray).toEqual([]);
    client.close();
    expect(await health()).toEqual(WELL);
  });

  test.each([
    ["a header that promises a question", "123400000001000000000000", Rcode.FORMERR],
    ["a name that points to itself", "12340000000100000000 0000 c00c 0001 0001", Rcode.FORMERR],
    [
      "an update whose record runs over the end",
      "1234280000010000 0001 0000 03736d62076578616d706c6500 0006 0001 c00c 0001 0001 0000003c ffff 01",
      Rcode.FORMERR,
    ],
    ["two questions", "123400000002000000000000 00 0001 0001 00 0001 0001", Rcode.FORMERR],
    ["an opcode nobody knows", "12346000000000000000 0000", Rcode.NOTIMP],
    ["a status request", "12341000000000000000 0000", Rcode.NOTIMP],
  ])("but %s is told so", async (_, hex, rcode) => {
    const octets = Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
    const client = await UdpClient.open(server);
    const { header } = decodeMessage(await client.ask(octets));
    client.close();
    expect(header).toMatchObject({ id: 0x1234, rcode, answerCount: 0 });
    expect(header.flags & Flag.QR).not.toBe(0);
    expect(decodeMessage((await askTcp(server, octets))!).header.rcode).toBe(rcode);
  });

  test("an EDNS version to come is BADVERS", async () => {
    const { header, edns } = await ask(server, "fs1.smb.example. A", { edns: { version: 1 } });
    expect([header.rcode, edns?.extendedRcode, edns?.version]).toEqual([0, 1, 0]);
  });
});

describe("TCP peers", () => {
  test("many questions at once are all answered", async () => {
    const client = await TcpClient.open(server);
    const ids = Array.from({ length: 500 }, (_, i) => i);
    client.send(...ids.map((id) => question("fs1.smb.example. A", id)));
    const answered = new Set<number>();
    for (const _ of ids) answered.add(decodeMessage((await client.receive())!).header.id);
    client.close();
    expect(answered.size).toBe(ids.length);
  });

  test("a question octet by octet", async () => {
    const client = await TcpClient.open(server);
    const message = question("fs1.smb.example. A", 77);
    for (const octet of [0, message.length, ...message]) {
      await new Promise((resolve) => client.socket.write(Uint8Array.of(octet), resolve));
    }
    expect(decodeMessage((await client.receive())!).header).toMatchObject({ id: 77, rcode: 0 });
    client.close();
  });

  test("one that says nothing, or stops in the middle, is sent away when its time is over", async () => {
    const silent = await TcpClient.open(server);
    const halted = await TcpClient.open(server);
    halted.socket.write(Uint8Array.of(0, 40, 1, 2, 3));
    await Promise.all([silent.closed(), halted.closed()]);
    expect(await health()).toEqual(WELL);
  });

  test("a length that no message has ends the connection", async () => {
    const client = await TcpClient.open(server);
    client.socket.write(Uint8Array.of(0, 3, 1, 2, 3));
    expect(await client.receive()).toBeUndefined();
    client.close();
  });

  test("one that never reads its transfer is cut off, and holds up nobody", async () => {
    const before = await counters();
    const client = await TcpClient.open(server);
    client.socket.pause();
    client.send(transferOf("big.example.", RrType.AXFR));
    await eventually(
      "the transfer is under way",
      counters,
      ({ transfersUnderWay }) => transfersUnderWay === 1,
    );
    expect(await health()).toEqual(WELL);
    await eventually("the peer is cut off", counters, ({ tcpCut, transfersUnderWay }) => {
      return tcpCut! > before["tcpCut"]! && transfersUnderWay === 0;
    });
    client.close();
    expect(await health()).toEqual(WELL);
  });

  test("one that never reads its answers is cut off", async () => {
    const before = await counters();
    const client = await TcpClient.open(server);
    client.socket.pause();
    // Each answer some 1 KB: more than the sockets on both sides take in.
    const questions = Array.from({ length: 2000 }, (_, i) => question(`h${1 + i}.big.example. TXT`, i));
    const send = (): void => {
      if (!client.ended) client.send(...questions);
    };
    const timer = setInterval(send, 50);
    await eventually("the peer is cut off", counters, ({ tcpCut }) => tcpCut! > before["tcpCut"]!);
    clearInterval(timer);
    client.close();
    expect(await health()).toEqual(WELL);
  });

  test("too many connections from one address are turned away, and room comes back", async () => {
    const before = await counters();
    const clients = await Promise.all(Array.from({ length: 36 }, () => TcpClient.open(server)));
    await eventually(
      "some are turned away",
      counters,
      ({ tcpRefused }) => tcpRefused! >= before["tcpRefused"]! + 6,
    );
    await askText(server, "fs1.smb.example. A");
    for (const client of clients) client.close();
    await eventually("all are gone", counters, ({ tcpConnections }) => tcpConnections === 0);
    expect(await health()).toEqual(WELL);
  });

  test("peers that go away in the middle of everything", async () => {
    for (let i = 0; i < 20; i++) {
      const client = await TcpClient.open(server);
      client.send(transferOf("big.example.", RrType.AXFR), question("fs1.smb.example. A"));
      if (i % 2 === 0) await client.receive();
      client.socket.resetAndDestroy();
    }
    await eventually("no transfer is left", counters, ({ transfersUnderWay, tcpConnections }) => {
      return transfersUnderWay === 0 && tcpConnections === 0;
    });
    expect(await health()).toEqual(WELL);
  });
});

test("a UDP client that goes away before its answer disturbs nobody", async () => {
  for (let i = 0; i < 50; i++) {
    const client = await UdpClient.open(server);
    await client.send(question("fs1.smb.example. A", i));
    client.close();
  }
  expect(await health()).toEqual(WELL);
});

test("in the end one process has run all the time, and its data directory is sound", async () => {
  expect(server.daemon.child.exitCode).toBeNull();
  expect(await askText(server, "fs1.smb.example. A")).toMatchObject({ rcode: "NOERROR" });
  expect(await server.down()).toBe(0);
  // What was let in is a zone that loads: its records, its journal and its counts agree.
  await server.up();
  expect(await health()).toEqual(WELL);
});
