/**
 * A client of dynamic updates (RFC 2136) over UDP, signed with TSIG, with many requests outstanding at once.
 * An answer counts only where its signature holds; whatever else comes in is not an answer.
 */
import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { ClientTransaction } from "../../src/auth/tsig/client.ts";
import type { TsigKey } from "../../src/auth/tsig/key.ts";
import { RrClass } from "../../src/wire/iana/class.ts";
import { Opcode } from "../../src/wire/iana/code.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import type { Name } from "../../src/wire/name.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";

const NO_RDATA = new Uint8Array(0);

/** "Delete an RRset" (RFC 2136 §2.5.2). */
export function deleteRrset(name: Name, type: number): ResourceRecord {
  return { name, type, class: RrClass.ANY, ttl: 0, rdata: NO_RDATA };
}

/** "Delete all RRsets from a name" (RFC 2136 §2.5.3). */
export function deleteName(name: Name): ResourceRecord {
  return deleteRrset(name, RrType.ANY);
}

interface Outstanding {
  readonly transaction: ClientTransaction;
  readonly resolve: (rcode: number | undefined) => void;
}

export class UpdateClient {
  readonly #socket: Socket;
  readonly #zone: Name;
  readonly #key: TsigKey;
  readonly #outstanding = new Map<number, Outstanding>();
  #nextId = 1;

  private constructor(socket: Socket, zone: Name, key: TsigKey) {
    this.#socket = socket;
    this.#zone = zone;
    this.#key = key;
    socket.on("message", (bytes) => this.#receive(bytes));
    // A server that is gone answers with ICMP: nothing comes, and close() says so for what is outstanding.
    socket.on("error", () => undefined);
  }

  /** A client of the server on this port of 127.0.0.1. */
  static async open(port: number, zone: Name, key: TsigKey): Promise<UpdateClient> {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.connect(port, "127.0.0.1", resolve));
    return new UpdateClient(socket, zone, key);
  }

  /** Requests without an answer yet. */
  get outstanding(): number {
    return this.#outstanding.size;
  }

  /** Sends an update. @returns the RCODE of its answer; undefined where none came before {@link close} */
  send(
    updates: readonly ResourceRecord[],
    prerequisites: readonly ResourceRecord[] = [],
  ): Promise<number | undefined> {
    const id = this.#freeId();
    const request = encodeMessage({
      id,
      flags: Opcode.UPDATE << 11,
      rcode: 0,
      questions: [{ name: this.#zone, type: RrType.SOA, class: RrClass.IN }],
      answers: prerequisites,
      authorities: updates,
    });
    const { message, transaction } = ClientTransaction.start(this.#key, request, seconds());
    return new Promise((resolve) => {
      this.#outstanding.set(id, { transaction, resolve });
      this.#socket.send(message, () => undefined);
    });
  }

  /** Gives up what is outstanding and closes the socket. */
  close(): void {
    for (const { resolve } of this.#outstanding.values()) resolve(undefined);
    this.#outstanding.clear();
    this.#socket.close();
  }

  #receive(bytes: Uint8Array): void {
    const { header, tsig } = decodeMessage(bytes);
    const waiting = this.#outstanding.get(header.id);
    if (waiting === undefined || !waiting.transaction.verify(bytes, tsig, seconds()).ok) return;
    this.#outstanding.delete(header.id);
    waiting.resolve(header.rcode);
  }

  #freeId(): number {
    if (this.#outstanding.size > 0xf000) throw new Error("too many updates outstanding");
    do this.#nextId = (this.#nextId + 1) & 0xffff;
    while (this.#outstanding.has(this.#nextId));
    return this.#nextId;
  }
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}
