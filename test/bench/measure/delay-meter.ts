/**
 * How long after an update is acknowledged a secondary answers with what it changed; and, since much of that is the
 * secondary's own doing, how long after it the NOTIFY comes (RFC 1996).
 */
import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import type { TsigKey } from "../../../src/auth/tsig/key.ts";
import { RrClass } from "../../../src/wire/iana/class.ts";
import { Rcode, rcodeToText } from "../../../src/wire/iana/code.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { soaSerial } from "../../../src/wire/rdata/soa.ts";
import { record, sameBytes } from "../../../src/wire/record.ts";
import type { ResourceRecord } from "../../../src/wire/record.ts";
import { freePort } from "../../support/free-port.ts";
import type { Random } from "../../support/mutate.ts";
import { UdpClient } from "../../support/sockets.ts";
import { deleteRrset, UpdateClient } from "../../support/update-client.ts";
import { HOSTS, ZONE } from "../load/workload.ts";

/** Milliseconds after which a question is asked again, an update given up, a change no longer waited for. */
const ANSWER_PATIENCE = 200;
const UPDATE_PATIENCE = 10_000;
const CHANGE_PATIENCE = 60_000;
/** Milliseconds between one update's arrival and the next update, at most. */
const LONGEST_PAUSE = 50;
/** Updates measured at most in one round, and at least. */
const MOST = 200;
const LEAST = 2;

const apex = Name.parse(`${ZONE}.`);

/** What one update took, in milliseconds from its acknowledgement. */
export interface Delay {
  /** Until a NOTIFY with its serial came, below 0 where that was first; undefined where none had come by the end. */
  readonly notify: number | undefined;
  /** Until the secondary answered with the change. */
  readonly visible: number;
}

/** Takes NOTIFYs as a secondary does, over UDP and, as Knot sends them, TCP. */
export class NotifyListener {
  readonly port: number;
  /** When each serial came first, on the clock of `performance`. */
  readonly #arrivals = new Map<number, number>();
  readonly #udp: Socket;
  readonly #tcp: Server;

  private constructor(udp: Socket, tcp: Server) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.port = udp.address().port;
    udp.on("message", (message, { port, address }) => {
      udp.send(this.#take(message), port, address, () => undefined);
    });
    tcp.on("connection", (socket) => {
      socket.on("error", () => undefined);
      // One small message, which loopback delivers in one piece.
      socket.on("data", (data) =>
        socket.end(Buffer.concat([data.subarray(0, 2), this.#take(data.subarray(2))])),
      );
    });
  }

  static async open(): Promise<NotifyListener> {
    const port = await freePort();
    const udp = createSocket("udp4");
    udp.bind(port, "127.0.0.1");
    await once(udp, "listening");
    const tcp = createServer().listen(port, "127.0.0.1");
    await once(tcp, "listening");
    return new NotifyListener(udp, tcp);
  }

  /** When this serial came; undefined where it has not come (yet). */
  arrival(serial: number): number | undefined {
    return this.#arrivals.get(serial);
  }

  close(): void {
    this.#udp.close();
    this.#tcp.close();
  }

  /** @returns the answer */
  #take(message: Buffer): Buffer {
    const now = performance.now();
    const soa = decodeMessage(message).answers.find((rr) => rr.type === RrType.SOA);
    const serial = soa === undefined ? NaN : soaSerial(soa.rdata);
    if (!this.#arrivals.has(serial)) this.#arrivals.set(serial, now);
    const answer = Buffer.from(message);
    answer[2]! |= 0x84; // QR and AA
    return answer;
  }
}

export class DelayMeter {
  readonly #updates: UpdateClient;
  readonly #questions: UdpClient;
  readonly #notifies: NotifyListener;
  readonly #random: Random;
  #id = 0;
  #generation = 0;

  private constructor(updates: UpdateClient, questions: UdpClient, notifies: NotifyListener, random: Random) {
    this.#updates = updates;
    this.#questions = questions;
    this.#notifies = notifies;
    this.#random = random;
  }

  /** @param ports of the primary and the secondary; @param notifies is closed by whoever opened it */
  static async open(
    ports: { readonly primary: number; readonly secondary: number },
    notifies: NotifyListener,
    key: TsigKey,
    random: Random,
  ): Promise<DelayMeter> {
    const questions = await UdpClient.open({ port: ports.secondary });
    const updates = await UpdateClient.open(ports.primary, apex, key);
    return new DelayMeter(updates, questions, notifies, random);
  }

  close(): void {
    this.#updates.close();
    this.#questions.close();
  }

  /**
   * Updates one after the other, each a random moment after the one before has arrived.
   * @param seconds after which no more are begun
   */
  async oneAfterAnother(seconds: number): Promise<Delay[]> {
    const delays: Delay[] = [];
    const end = performance.now() + seconds * 1000;
    while (delays.length < LEAST || (delays.length < MOST && performance.now() < end)) {
      await wait(this.#random.below(LONGEST_PAUSE));
      delays.push(await this.one());
    }
    return delays;
  }

  /** Replaces one address. */
  async one(): Promise<Delay> {
    const name = Name.parse(`host${this.#random.below(HOSTS)}`, apex);
    this.#generation++;
    const rdata = Uint8Array.of(172, 16, this.#generation >> 8, this.#generation);
    const update = this.#updates.send([deleteRrset(name, RrType.A), record(name, RrType.A, 300, rdata)]);
    const rcode = await Promise.race([update, wait(UPDATE_PATIENCE, undefined, { ref: false })]);
    const acknowledged = performance.now();
    if (rcode !== Rcode.NOERROR) {
      throw new Error(
        rcode === undefined ? "an update was not answered" : `an update was refused: ${rcodeToText(rcode)}`,
      );
    }
    while (!(await this.#answersWith(name, rdata))) {
      if (performance.now() - acknowledged > CHANGE_PATIENCE)
        throw new Error("the secondary does not follow");
    }
    const visible = performance.now() - acknowledged;
    const arrival = this.#notifies.arrival(await this.#serial());
    return { visible, notify: arrival === undefined ? undefined : arrival - acknowledged };
  }

  async #answersWith(name: Name, rdata: Uint8Array): Promise<boolean> {
    return (await this.#ask(name, RrType.A)).some((rr) => sameBytes(rr.rdata, rdata));
  }

  /** The secondary's serial: nothing has changed since, so that it is the primary's too. */
  async #serial(): Promise<number> {
    const [soa] = await this.#ask(apex, RrType.SOA);
    return soa === undefined ? NaN : soaSerial(soa.rdata);
  }

  async #ask(name: Name, type: number): Promise<readonly ResourceRecord[]> {
    this.#id = (this.#id + 1) & 0xffff;
    const questions = [{ name, type, class: RrClass.IN }];
    const question = encodeMessage({ id: this.#id, flags: 0, rcode: 0, questions });
    const answer = await this.#questions.ask(question, ANSWER_PATIENCE).catch(() => undefined);
    return answer === undefined ? [] : decodeMessage(answer).answers;
  }
}
