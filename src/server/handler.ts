/** Between the sockets and the exchanges: what a transport hands over with each message, and how it is answered. */
import type { Peer } from "../protocol/context.ts";

/**
 * Takes the answer to one message. Exactly one of the three is to be called, now or later; a second call does nothing,
 * and a peer that went away meanwhile is no error. The octets sent are the transport's from then on.
 */
export interface ReplySink {
  /** One message. */
  send(message: Uint8Array): void;
  /** Many messages, drawn as fast as the peer takes them; `done` is told when the last went or the peer was lost. */
  stream(messages: Iterable<Uint8Array>, done: (complete: boolean) => void): void;
  /** No answer. */
  drop(): void;
}

/**
 * Handles one message. Must not throw. The octets are the handler's to keep.
 */
export type MessageHandler = (message: Uint8Array, peer: Peer, sink: ReplySink) => void;

/** The few lines a transport logs. */
export interface TransportLog {
  warn(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}

/** An IPv4 address that an IPv6 socket wrote as IPv4-mapped, as IPv4; without a zone index. */
export function plainAddress(address: string): string {
  const mapped = address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
  const zone = mapped.indexOf("%");
  return zone < 0 ? mapped : mapped.slice(0, zone);
}

/** Ports whose services answer anything (echo, chargen) or that cannot be answered (0): a reply would start a loop. */
export function isUnansweredPort(port: number): boolean {
  return port === 0 || port === 7 || port === 19;
}
