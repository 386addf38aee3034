/** An upstream server that a test plays: it sees every query, and answers as it is told. */
import { createSocket } from "node:dgram";
import type { RemoteInfo, Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { typeToText } from "../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage, Flag } from "../../src/wire/message.ts";
import type { Message, MessageParts } from "../../src/wire/message.ts";
import { rr } from "./rr.ts";

/** A query that came. */
export interface Asked {
  /** `NAME TYPE`, the name in lower case. */
  readonly text: string;
  /** The name in the case it came. */
  readonly name: string;
  readonly by: "udp" | "tcp";
  readonly id: number;
  readonly port: number;
  readonly message: Message;
}

/** What is to be sent back: messages, one after the other; none is silence. */
export type Answers = (asked: Asked) => Uint8Array[] | Promise<Uint8Array[]>;

/** A reply to a query, with records as text; names relative to smb.example. */
export function replyTo(
  { message }: Pick<Asked, "message">,
  parts: {
    rcode?: number;
    flags?: number;
    id?: number;
    questions?: MessageParts["questions"];
    answers?: string[];
    authorities?: string[];
    additionals?: string[];
  } = {},
): Uint8Array {
  return encodeMessage({
    id: parts.id ?? message.header.id,
    flags: parts.flags ?? Flag.QR | Flag.RD | Flag.RA,
    rcode: parts.rcode ?? 0,
    questions: parts.questions ?? message.questions,
    answers: (parts.answers ?? []).map(rr),
    authorities: (parts.authorities ?? []).map(rr),
    additionals: (parts.additionals ?? []).map(rr),
    edns: message.edns && { ...message.edns, options: [] },
  });
}

export class FakeUpstream {
  /** Everything asked so far. */
  readonly asked: Asked[] = [];
  answers: Answers;
  readonly port: number;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;

  private constructor(udp: UdpSocket, tcp: Server, answers: Answers) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.port = udp.address().port;
    this.answers = answers;
    udp.on("message", (bytes, from) => void this.#answerUdp(bytes, from));
    tcp.on("connection", (socket) => {
      socket.on("error", () => undefined);
      let received = Buffer.alloc(0);
      socket.on("data", (chunk) => {
        received = Buffer.concat([received, chunk]);
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
        const query = this.#see(received.subarray(2), "tcp", socket.remotePort!);
        void Promise.resolve(this.answers(query)).then((messages) => {
          for (const message of messages) {
            socket.write(Buffer.concat([Buffer.of(message.length >> 8, message.length & 0xff), message]));
          }
        });
      });
    });
  }

  /** Listens on a free port of 127.0.0.1, UDP and TCP. */
  static async open(answers: Answers): Promise<FakeUpstream> {
    for (;;) {
      const tcp = createServer().listen(0, "127.0.0.1");
      await once(tcp, "listening");
      const { port } = tcp.address() as { port: number };
      const udp = createSocket("udp4");
      udp.bind(port, "127.0.0.1");
      try {
        await once(udp, "listening");
        return new FakeUpstream(udp, tcp, answers);
      } catch {
        tcp.close();
      }
    }
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** How often something was asked. */
  count(text: string): number {
    return this.asked.filter((query) => query.text === text).length;
  }

  /** Sends a datagram from the server's own address. */
  send(message: Uint8Array, port: number): void {
    this.#udp.send(message, port, "127.0.0.1");
  }

  async close(): Promise<void> {
    this.#tcp.close();
    await new Promise<void>((resolve) => this.#udp.close(() => resolve()));
  }

  async #answerUdp(bytes: Uint8Array, { port }: RemoteInfo): Promise<void> {
    const messages = await this.answers(this.#see(bytes, "udp", port));
    for (const message of messages) this.send(message, port);
  }

  #see(bytes: Uint8Array, by: "udp" | "tcp", port: number): Asked {
    const message = decodeMessage(Uint8Array.from(bytes));
    const { name, type } = message.questions[0]!;
    const text = `${name.toString().toLowerCase()} ${typeToText(type)}`;
    const query = { text, name: name.toString(), by, id: message.header.id, port, message };
    this.asked.push(query);
    return query;
  }
}
