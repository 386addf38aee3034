/**
 * One DNS question to one server, for operators. Messages are built and read by dns2, so that what it shows is a second
 * opinion on what the server sends. The sockets are this file's own: dns2's client cannot ask for every type, nor over
 * TCP to an IPv6 address.
 */
import { createSocket } from "node:dgram";
import { createConnection } from "node:net";
import { Packet } from "dns2";
import { canonicalAddress } from "../config/quantity.ts";
import type { SocketAddressText } from "../config/quantity.ts";

export interface Probe {
  readonly server: SocketAddressText;
  /** Without escapes: dns2 takes every dot for the end of a label. */
  readonly name: string;
  readonly type: number;
  /** Ask over TCP from the start; otherwise only when the answer over UDP was cut short. */
  readonly tcp: boolean;
  /** Milliseconds for each transport. */
  readonly timeout: number;
}

export interface ProbeAnswer {
  readonly packet: Packet;
  readonly transport: "udp" | "tcp";
  /** From the question to the answer, in milliseconds. */
  readonly elapsed: number;
  /** Octets of the answer. */
  readonly size: number;
}

/** What a UDP answer may take up (RFC 6891 §6.2.5), as DNS flag day 2020 has it. */
const UDP_PAYLOAD = 1232;

/** No answer came, or nothing that is one. */
export class ProbeError extends Error {
  override readonly name = "ProbeError";
}

/** Asks, over TCP again where the answer over UDP was cut short. @throws ProbeError */
export async function probe(asked: Probe): Promise<ProbeAnswer> {
  const query = new Packet();
  query.header.id = Packet.uuid();
  query.questions.push({
    name: asked.name,
    type: asked.type,
    class: Packet.CLASS.IN,
  } as Packet["questions"][number]);
  query.additionals.push(Packet.Resource.EDNS([], { udpPayloadSize: UDP_PAYLOAD }));
  const message = query.toBuffer();
  const id = query.header.id;
  const overUdp = asked.tcp ? undefined : await timed("udp", () => askUdp(asked, message, id));
  if (overUdp !== undefined && overUdp.packet.header.tc === 0) return overUdp;
  return timed("tcp", () => askTcp(asked, message, id));
}

async function timed(transport: "udp" | "tcp", ask: () => Promise<Buffer>): Promise<ProbeAnswer> {
  const start = performance.now();
  const reply = await ask();
  return { packet: Packet.parse(reply), transport, elapsed: performance.now() - start, size: reply.length };
}

function askUdp({ server, timeout }: Probe, message: Buffer, id: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(server.address.includes(":") ? "udp6" : "udp4");
    const finish = (how: () => void): void => {
      clearTimeout(timer);
      socket.close();
      how();
    };
    const timer = setTimeout(
      () => finish(() => reject(new ProbeError(`no answer over UDP within ${timeout} ms`))),
      timeout,
    );
    socket.once("error", (error) => finish(() => reject(new ProbeError(`UDP failed: ${error.message}`))));
    socket.on("message", (reply, from) => {
      // Whatever does not come from there, or answers another question, is not the answer (RFC 5452 §9.1).
      const isTheirs = from.port === server.port && canonicalAddress(from.address) === server.address;
      if (isTheirs && isAnswer(reply, id)) finish(() => resolve(reply));
    });
    // Connected, so that a closed port is told at once instead of after the timeout.
    socket.connect(server.port, server.address, () => socket.send(message));
  });
}

function askTcp({ server, timeout }: Probe, message: Buffer, id: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: server.address, port: server.port });
    const chunks: Buffer[] = [];
    const finish = (how: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      how();
    };
    const timer = setTimeout(
      () => finish(() => reject(new ProbeError(`no answer over TCP within ${timeout} ms`))),
      timeout,
    );
    socket.on("error", (error) => finish(() => reject(new ProbeError(`TCP failed: ${error.message}`))));
    socket.on("close", () =>
      finish(() => reject(new ProbeError("the server closed the connection without an answer"))),
    );
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      const received = Buffer.concat(chunks);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const reply = received.subarray(2, 2 + received.readUInt16BE(0));
      finish(() =>
        isAnswer(reply, id) ? resolve(reply) : reject(new ProbeError("something other than the answer came")),
      );
    });
    const framed = Buffer.alloc(2 + message.length);
    framed.writeUInt16BE(message.length, 0);
    message.copy(framed, 2);
    socket.write(framed);
  });
}

function isAnswer(reply: Buffer, id: number): boolean {
  return reply.length >= Packet.HEADER_SIZE && reply.readUInt16BE(0) === id && (reply[2]! & 0x80) !== 0;
}
