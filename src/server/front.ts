/**
 * Where every message arrives, whatever it came by: ordinary queries are answered at once, the rest goes to the
 * dispatcher. Nothing a peer sends can throw past here.
 */
import type { Peer } from "../protocol/context.ts";
import type { DispatchContext, Outcome, Refusal } from "../protocol/dispatch.ts";
import { dispatch } from "../protocol/dispatch.ts";
import { ELSEWHERE, NOT_A_QUERY, SILENCE } from "../protocol/query.ts";
import type { QuestionReader } from "../protocol/question.ts";
import { MAX_UDP_PAYLOAD } from "../wire/edns.ts";
import { Rcode } from "../wire/iana/code.ts";
import { HEADER_LENGTH, MAX_MESSAGE_LENGTH } from "../wire/writer.ts";
import type { MessageHandler, ReplySink } from "./handler.ts";

export type UpdateOutcome = Extract<Outcome, { kind: "update" }>;
export type TransferOutcome = Extract<Outcome, { kind: "transfer" }>;

/** A query that another server is to be asked. */
export interface ElsewhereQuery {
  readonly message: Uint8Array;
  /** Of the message; used again for the next one. */
  readonly question: QuestionReader;
  readonly peer: Peer;
  /** Most octets that the answer may have. */
  readonly room: number;
}

export interface FrontDeps {
  /** Asked for each message: a reload replaces it. */
  readonly context: () => DispatchContext;
  /** Resolves with the reply. */
  readonly update: (outcome: UpdateOutcome, peer: Peer) => Promise<Uint8Array>;
  readonly transfer: (outcome: TransferOutcome, peer: Peer, sink: ReplySink) => void;
  /**
   * A query, read into `question`, that another server is to be asked. May answer at once or later; must not throw.
   * `room`: most octets an answer may have.
   */
  readonly elsewhere: (query: ElsewhereQuery, sink: Pick<ReplySink, "send">) => void;
  readonly refused: (refusal: Refusal, peer: Peer) => void;
  readonly log: { error(fields: object, message: string): void };
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
}

export interface FrontCounters {
  queries: number;
  others: number;
  /** Answered SERVFAIL because of a fault in this program. */
  bugs: number;
}

/** Makes the handler that all listeners share, and its counters. */
export function createFront(deps: FrontDeps): {
  readonly handler: MessageHandler;
  readonly counters: FrontCounters;
} {
  const counters: FrontCounters = { queries: 0, others: 0, bugs: 0 };
  const scratch = new Uint8Array(MAX_MESSAGE_LENGTH);

  const failed = (error: unknown, message: Uint8Array, sink: ReplySink): void => {
    counters.bugs++;
    deps.log.error({ err: error }, "a message could not be handled: this is a fault in the server");
    const reply = message.slice(0, HEADER_LENGTH);
    reply[2] = 0x80 | (reply[2]! & 0x79); // QR, the request's OPCODE and RD
    reply[3] = Rcode.SERVFAIL;
    reply.fill(0, 4);
    sink.send(reply);
  };

  const handler: MessageHandler = (message, peer, sink) => {
    try {
      const udp = peer.transport === "udp";
      const context = deps.context();
      const limit = udp ? MAX_UDP_PAYLOAD : MAX_MESSAGE_LENGTH;
      context.answerer.client.setText(peer.address);
      const length = context.answerer.answer(message, message.length, scratch, limit, udp);
      if (length === SILENCE) {
        sink.drop();
        return;
      }
      if (length === ELSEWHERE) {
        counters.queries++;
        const { question } = context.answerer;
        deps.elsewhere({ message, question, peer, room: udp ? question.udpLimit : limit }, sink);
        return;
      }
      if (length !== NOT_A_QUERY) {
        counters.queries++;
        sink.send(scratch.slice(0, length));
        return;
      }
      counters.others++;
      const outcome = dispatch(message, peer, Math.floor(deps.now() / 1000), context);
      switch (outcome.kind) {
        case "silence":
          sink.drop();
          return;
        case "reply":
          sink.send(outcome.bytes);
          if (outcome.refusal !== undefined) deps.refused(outcome.refusal, peer);
          return;
        case "update":
          deps.update(outcome, peer).then(
            (reply) => sink.send(reply),
            (error: unknown) => failed(error, message, sink),
          );
          return;
        case "elsewhere": {
          const { room, finish } = outcome;
          const { question } = context.answerer;
          const send = (answer: Uint8Array): void => sink.send(finish(answer, Math.floor(deps.now() / 1000)));
          deps.elsewhere({ message, question, peer, room }, { send });
          return;
        }
        case "transfer":
          deps.transfer(outcome, peer, sink);
          return;
      }
    } catch (error) {
      failed(error, message, sink);
    }
  };
  return { handler, counters };
}
