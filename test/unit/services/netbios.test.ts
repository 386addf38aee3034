/** The NetBIOS service at its sockets: owners that are asked for their names, addresses that cannot be had. */
import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseNetwork } from "../../../src/auth/acl.ts";
import type { NetbiosConfig } from "../../../src/config/config.ts";
import { readPacket } from "../../../src/netbios/packet.ts";
import { NetbiosService } from "../../../src/services/netbios.ts";
import { RefusalLog } from "../../../src/services/refusal-log.ts";
import { Name } from "../../../src/wire/name.ts";
import { bytes, encodedName, hex, query, registration, replyText } from "../../support/netbios.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A node: its socket, and all packets that came to it, each to be awaited. */
class NetbiosNode {
  readonly socket: Socket;
  readonly #packets: Uint8Array[] = [];
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("message", (packet) => {
      this.#packets.push(packet);
      this.#wake?.();
    });
  }

  static async open(address: string, port = 0): Promise<NetbiosNode> {
    const socket = createSocket("udp4");
    socket.bind(port, address);
    await once(socket, "listening");
    return new NetbiosNode(socket);
  }

  get port(): number {
    return this.socket.address().port;
  }

  async next(): Promise<Uint8Array> {
    while (this.#packets.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#packets.shift()!;
  }

  async ask(packet: Uint8Array): Promise<string> {
    this.send(packet, servicePort);
    const { flags, addresses } = replyText(await this.next());
    return [flags, ...addresses].join(", ");
  }

  send(packet: Uint8Array, port: number): void {
    this.socket.send(packet, port, "127.0.0.1");
  }
}

let service: NetbiosService;
let servicePort: number;
let owner: NetbiosNode;
let newcomer: NetbiosNode;

const config = (listen: string, port = 0): NetbiosConfig => ({
  listen: [{ address: listen, port, text: listen }],
  clients: [parseNetwork("127.0.0.0/8")!],
  suffixes: [Name.parse("smb.example.")],
  domains: [],
  feed: false,
  maxTtl: 3_600_000,
  registrations: 100,
  registrationsPerClient: 10,
});

/** @param interval milliseconds between two questions to an owner: long where it is to answer the first */
async function start(interval = 30_000): Promise<void> {
  owner = await NetbiosNode.open("127.0.0.2");
  newcomer = await NetbiosNode.open("127.0.0.3");
  service = new NetbiosService({
    zones: { get: () => undefined },
    update: () => Promise.reject(new Error("nothing is fed here")),
    refusals: new RefusalLog(silent, Date.now),
    log: silent,
    now: Date.now,
    challenges: { port: owner.port, interval },
  });
  await service.configure(config("127.0.0.1"));
  servicePort = Number(service.addresses[0]!.split(":")[1]);
  expect(await owner.ask(registration("NODE1", "127.0.0.2"))).toBe("ad80, 6000 127.0.0.2");
}

async function stop(): Promise<void> {
  await service.close();
  owner.socket.close();
  newcomer.socket.close();
}

beforeEach(() => start());
afterEach(stop);

/** The newcomer wants the name; resolves with the question that the owner gets. */
async function challenge(): Promise<Uint8Array> {
  expect(await newcomer.ask(registration("NODE1", "127.0.0.3"))).toBe("bc00");
  const asked = await owner.next();
  expect(readPacket(asked)).toMatchObject({ opcode: 0, response: false, broadcast: false, type: 0x20 });
  return asked;
}

/** The owner's answer to a question. */
function answer(asked: Uint8Array, flags: string, type: string, data: string): Uint8Array {
  const name = encodedName("NODE1", 0x20);
  const length = (data.length / 2).toString(16).padStart(4, "0");
  return bytes(
    `${hex(asked.subarray(0, 2))} ${flags} 0000 0001 0000 0000 ${name} ${type} 0001 00000000 ${length} ${data}`,
  );
}

test("an owner that defends its name keeps it", async () => {
  owner.send(answer(await challenge(), "8500", "0020", "60007f000002"), servicePort);
  expect(replyText(await newcomer.next())).toMatchObject({ flags: "ad86" });
  expect(await newcomer.ask(query("NODE1"))).toBe("8580, 6000 127.0.0.2");
  expect(service.counters).toMatchObject({ challenged: 1, refused: 1, registered: 1, bugs: 0 });
});

test("an owner that denies it loses it at once", async () => {
  owner.send(answer(await challenge(), "8503", "000a", ""), servicePort);
  expect(replyText(await newcomer.next())).toMatchObject({ flags: "ad80" });
  expect(await newcomer.ask(query("NODE1"))).toBe("8580, 6000 127.0.0.3");
});

test("an owner that keeps silent loses it after three questions", async () => {
  await stop();
  await start(20);
  const first = await challenge();
  expect([await owner.next(), await owner.next()]).toEqual([first, first]);
  expect(replyText(await newcomer.next())).toMatchObject({ flags: "ad80" });
  expect(await newcomer.ask(query("NODE1"))).toBe("8580, 6000 127.0.0.3");
});

test("nobody else can answer for the owner", async () => {
  const asked = await challenge();
  newcomer.send(answer(asked, "8503", "000a", ""), servicePort);
  const wrong = Uint8Array.from(asked);
  wrong[0]! ^= 1;
  owner.send(answer(wrong, "8503", "000a", ""), servicePort);
  owner.send(answer(asked, "8500", "0020", "60007f000002"), servicePort);
  expect(replyText(await newcomer.next())).toMatchObject({ flags: "ad86" });
});

test("while the owner is asked, who comes again is not answered twice", async () => {
  const asked = await challenge();
  newcomer.send(registration("NODE1", "127.0.0.3"), servicePort);
  expect(await newcomer.ask(query("GONE"))).toBe("8583"); // what came before it was met with silence
  owner.send(answer(asked, "8500", "0020", "60007f000002"), servicePort);
  expect(replyText(await newcomer.next())).toMatchObject({ flags: "ad86" });
  expect(service.counters).toMatchObject({ challenged: 1, ignored: 1 });
});

test("an address that cannot be had leaves everything as it was, and says what to do", async () => {
  const other = await NetbiosNode.open("127.0.0.4");
  await expect(service.configure(config("127.0.0.4", other.port))).rejects.toMatchObject({
    code: "LISTEN_NETBIOS",
    message: `cannot answer NetBIOS names on 127.0.0.4:${other.port}: another program holds this address and port`,
    advice: expect.stringContaining("nmbd") as string,
  });
  await expect(service.configure(config("192.0.2.1"))).rejects.toMatchObject({ code: "LISTEN_NETBIOS" });
  await expect(service.configure(config("0.0.0.0", servicePort))).rejects.toMatchObject({
    message: expect.stringContaining(`this server itself answers on 127.0.0.1:${servicePort}`) as string,
  });
  expect(await newcomer.ask(query("NODE1"))).toBe("8580, 6000 127.0.0.2");
  other.socket.close();
});

test("without a configuration it is gone, and so is what was registered", async () => {
  await service.configure(undefined);
  expect(service.addresses).toEqual([]);
  await service.configure(config("127.0.0.1"));
  servicePort = Number(service.addresses[0]!.split(":")[1]);
  expect(await newcomer.ask(query("NODE1"))).toBe("8583");
});
