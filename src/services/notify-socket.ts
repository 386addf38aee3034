/** The sockets that NOTIFY leaves from: one of each address, on ports the system picks, opened when first needed. */
import type { Socket } from "node:dgram";
import { createSocket } from "node:dgram";
import { isIPv6, SocketAddress } from "node:net";

/** Sends datagrams and hands over what comes back. */
export interface NotifyTransport {
  /** @param failed called with the system's error where the datagram could not be sent */
  send(message: Uint8Array, address: string, port: number, failed: (error: Error) => void): void;
  /** Resolves when nothing more can arrive. */
  close(): Promise<void>;
}

/** @param address numeric, as {@link plainTarget} writes it */
export type DatagramHandler = (message: Uint8Array, address: string, port: number) => void;

/** An address as the sockets report it: canonical, and without a zone index. */
export function plainTarget(address: string): string {
  const percent = address.indexOf("%");
  const plain = percent < 0 ? address : address.slice(0, percent);
  return isIPv6(plain) ? new SocketAddress({ address: plain, family: "ipv6" }).address : plain;
}

/**
 * @param failed told of errors of a socket as such; it is opened anew for the next datagram
 * @param sourceFor the address that datagrams to an address leave from; undefined where the system is to choose
 */
export function openNotifyTransport(
  received: DatagramHandler,
  failed: (error: Error) => void,
  sourceFor: (address: string) => string | undefined = () => undefined,
): NotifyTransport {
  const sockets = new Map<string, Socket>();
  let closed = false;

  const socketFor = (address: string): Socket => {
    const type = isIPv6(address) ? "udp6" : "udp4";
    const source = sourceFor(address);
    const key = source ?? type;
    const open = sockets.get(key);
    if (open !== undefined) return open;
    const socket = createSocket({ type, ipv6Only: type === "udp6" });
    sockets.set(key, socket);
    socket.on("message", (message, from) => received(message, plainTarget(from.address), from.port));
    socket.on("error", (error) => {
      if (sockets.get(key) === socket) sockets.delete(key);
      socket.close();
      failed(error);
    });
    // Otherwise the first send binds it.
    if (source !== undefined) socket.bind({ address: source, port: 0, exclusive: true });
    socket.unref();
    return socket;
  };

  return {
    send(message, address, port, notSent) {
      if (closed) return;
      socketFor(address).send(message, port, address, (error) => {
        if (error !== null) notSent(error);
      });
    },
    async close() {
      closed = true;
      const open = [...sockets.values()];
      sockets.clear();
      await Promise.all(open.map((socket) => new Promise<void>((resolve) => void socket.close(resolve))));
    },
  };
}
