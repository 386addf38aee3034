/**
 * The sockets that upstream servers are asked by: a fresh one for each query, on a port of the system's choice, connected,
 * so that only the server's own address and port can answer it and a closed port is told at once (RFC 5452 §4.5, §9.2).
 */
import { createSocket } from "node:dgram";
import { connect } from "node:net";

export interface UpstreamAddress {
  /** Numeric. */
  readonly address: string;
  readonly port: number;
}

/** What comes of one query. */
export interface ExchangeEvents {
  /** A message of the server; by UDP there can be several, and not all need be its. */
  readonly received: (message: Uint8Array) => void;
  /** Nothing can come any more. */
  readonly failed: (error: Error) => void;
}

/** One query under way. */
export interface Exchange {
  /** Nothing is told after that. Can be called again. */
  close(): void;
}

export interface ForwardTransport {
  udp(to: UpstreamAddress, message: Uint8Array, events: ExchangeEvents): Exchange;
  tcp(to: UpstreamAddress, message: Uint8Array, events: ExchangeEvents): Exchange;
}

/** Octets of the length before a message (RFC 1035 §4.2.2). */
const LENGTH = 2;

/** The address is numeric: there is nothing to look up. */
const numeric = (
  host: string,
  options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void => callback(null, host, host.includes(":") ? 6 : 4);

export const socketTransport: ForwardTransport = {
  udp({ address, port }, message, events) {
    const v6 = address.includes(":");
    const socket = createSocket({ type: v6 ? "udp6" : "udp4", lookup: numeric });
    let isOpen = true;
    const close = (): void => {
      if (!isOpen) return;
      isOpen = false;
      socket.close();
    };
    const fail = (error: Error): void => {
      if (!isOpen) return;
      close();
      events.failed(error);
    };
    socket.on("error", fail);
    socket.on("message", (bytes) => {
      if (isOpen) events.received(bytes);
    });
    socket.connect(port, address, () => {
      if (!isOpen) return;
      socket.send(message, (error) => {
        if (error !== null) fail(error);
      });
    });
    return { close };
  },

  tcp({ address, port }, message, events) {
    const socket = connect({ host: address, port, noDelay: true });
    let isOpen = true;
    const close = (): void => {
      isOpen = false;
      socket.destroy();
    };
    const fail = (error: Error): void => {
      if (!isOpen) return;
      close();
      events.failed(error);
    };
    const chunks: Buffer[] = [];
    let received = 0;
    // What came is put together twice, not with each piece: a server may send octet by octet.
    let end = LENGTH;
    socket.on("error", fail);
    socket.on("close", () => fail(new Error("the connection was closed before the answer")));
    socket.on("data", (chunk) => {
      if (!isOpen) return;
      chunks.push(chunk);
      received += chunk.length;
      if (received < end) return;
      const all = chunks.length === 1 ? chunk : Buffer.concat(chunks);
      if (end === LENGTH) end += all.readUInt16BE(0);
      if (received < end) return;
      close();
      events.received(new Uint8Array(all.buffer, all.byteOffset + LENGTH, end - LENGTH));
    });
    const framed = Buffer.alloc(LENGTH + message.length);
    framed.writeUInt16BE(message.length);
    framed.set(message, LENGTH);
    socket.write(framed);
    return { close };
  },
};
