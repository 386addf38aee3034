/** Questions and updates as text, over real sockets. */
import { EdnsOption, Opcode, Rcode, rcodeToText } from "../../src/wire/iana/code.ts";
import { RrClass } from "../../src/wire/iana/class.ts";
import { RrType, typeFromText } from "../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import type { Message } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import type { UpdateLease } from "../../src/wire/update-lease.ts";
import { readUpdateLease, updateLeaseOption } from "../../src/wire/update-lease.ts";
import type { Where } from "./clients.ts";
import { ORIGIN, rr } from "./rr.ts";
import { askUdp, UdpClient } from "./sockets.ts";
import { answerText, queryOctets } from "./zones.ts";
import type { AnswerText, AskOptions } from "./zones.ts";

/** A query as it goes on the wire. @param question `NAME TYPE`, the name absolute */
export function question(text: string, id = 0x2b1d, options: AskOptions = {}): Uint8Array {
  const [name, type] = text.split(" ");
  const bytes = queryOctets(Name.parse(name!), typeFromText(type!)!, options);
  bytes[0] = id >> 8;
  bytes[1] = id & 0xff;
  return bytes;
}

/** Asks by UDP. */
export async function ask(where: Where, text: string, options: AskOptions = {}): Promise<Message> {
  return decodeMessage(await askUdp(where, question(text, undefined, options)));
}

/** {@link ask}, the answer as text. */
export async function askText(where: Where, text: string, options: AskOptions = {}): Promise<AnswerText> {
  return answerText(await ask(where, text, options));
}

/** An unsigned update of smb.example that adds records, `OWNER TTL TYPE RDATA`. */
export function addition(id: number, ...records: string[]): Uint8Array {
  return encodeMessage({
    id,
    flags: Opcode.UPDATE << 11,
    rcode: 0,
    questions: [{ name: ORIGIN, type: RrType.SOA, class: RrClass.IN }],
    authorities: records.map(rr),
  });
}

/** Sends an update that adds records. @returns the RCODE as text */
export async function add(where: Where, ...records: string[]): Promise<string> {
  const { header } = decodeMessage(await askUdp(where, addition(0x1d2e, ...records)));
  return rcodeToText(header.rcode);
}

/**
 * Sends an unsigned update that adds records and asks for a lease (RFC 9664).
 * @param zone the apex; the records are absolute, `OWNER TTL TYPE RDATA`
 * @returns the RCODE as text, and the lease granted
 */
export async function addWithLease(
  where: Where,
  zone: string,
  lease: UpdateLease,
  ...records: string[]
): Promise<{ rcode: string; granted: UpdateLease | undefined }> {
  const request = encodeMessage({
    id: 0x1ea5,
    flags: Opcode.UPDATE << 11,
    rcode: 0,
    questions: [{ name: Name.parse(zone), type: RrType.SOA, class: RrClass.IN }],
    authorities: records.map(rr),
    edns: {
      udpPayload: 1232,
      version: 0,
      extendedRcode: 0,
      dnssecOk: false,
      options: [updateLeaseOption(lease)],
    },
  });
  const { header, edns } = decodeMessage(await askUdp(where, request));
  const option = edns?.options.find(({ code }) => code === EdnsOption.UPDATE_LEASE);
  return { rcode: rcodeToText(header.rcode), granted: option && readUpdateLease(option.data) };
}

/** Work that some workers repeat, each waiting for its answer, until they are told to stop. */
abstract class Stream {
  protected readonly client: UdpClient;
  #stopped = false;
  readonly #workers: Promise<void>[] = [];
  #id = 0;
  #progress: { count: number; resolve: () => void } | undefined;
  /** Exchanges that came to a good end. */
  done = 0;

  protected constructor(client: UdpClient) {
    this.client = client;
  }

  protected begin(workers: number): void {
    for (let worker = 0; worker < workers; worker++) this.#workers.push(this.#work());
  }

  /** Answers that nobody had asked for. */
  get stray(): readonly Uint8Array[] {
    return this.client.stray;
  }

  /** Resolves when this many more have come to a good end. @throws where the stream has ended */
  more(count: number): Promise<void> {
    return Promise.race([
      new Promise<void>((resolve) => (this.#progress = { count: this.done + count, resolve })),
      Promise.all(this.#workers).then(() => {
        throw new Error("the stream has ended");
      }),
    ]);
  }

  /** Lets the exchanges under way end. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#workers);
    this.client.close();
  }

  /** One exchange. @returns whether to go on */
  protected abstract exchange(id: number): Promise<boolean>;

  async #work(): Promise<void> {
    while (!this.#stopped) {
      this.#id = (this.#id + 1) & 0xffff;
      if (!(await this.exchange(this.#id))) return;
      this.done++;
      if (this.#progress !== undefined && this.done >= this.#progress.count) this.#progress.resolve();
    }
  }
}

/** Asks one question all the time. */
export class QueryStream extends Stream {
  readonly #text: string;
  readonly #isRight: (answer: Message) => boolean;
  /** What was wrong: an answer that never came, or not the right one. */
  readonly faults: string[] = [];

  private constructor(client: UdpClient, text: string, isRight: (answer: Message) => boolean) {
    super(client);
    this.#text = text;
    this.#isRight = isRight;
  }

  static async start(
    where: Where,
    text: string,
    isRight: (answer: Message) => boolean,
  ): Promise<QueryStream> {
    const stream = new QueryStream(await UdpClient.open(where), text, isRight);
    stream.begin(16);
    return stream;
  }

  protected async exchange(id: number): Promise<boolean> {
    try {
      const answer = decodeMessage(await this.client.ask(question(this.#text, id)));
      if (!this.#isRight(answer)) this.faults.push(JSON.stringify(answerText(answer)));
    } catch (error) {
      this.faults.push(String(error));
    }
    return this.faults.length < 10;
  }
}

/** Adds name after name to smb.example, unsigned, and remembers which were acknowledged. Ends when the server does. */
export class UpdateStream extends Stream {
  readonly acknowledged: string[] = [];
  /** RCODEs other than NOERROR. */
  readonly refused: string[] = [];
  readonly #patience: number;
  readonly #prefix: string;

  private constructor(client: UdpClient, prefix: string, patience: number) {
    super(client);
    this.#prefix = prefix;
    this.#patience = patience;
  }

  /** @param patience milliseconds to wait for each answer, after which the server counts as gone */
  static async start(where: Where, prefix: string, patience = 15_000): Promise<UpdateStream> {
    const stream = new UpdateStream(await UdpClient.open(where), prefix, patience);
    stream.begin(16);
    return stream;
  }

  protected async exchange(id: number): Promise<boolean> {
    const name = `${this.#prefix}${id}`;
    let reply: Uint8Array;
    try {
      reply = await this.client.ask(addition(id, `${name} 60 A 192.0.2.1`), this.#patience);
    } catch {
      return false;
    }
    const { rcode } = decodeMessage(reply).header;
    if (rcode !== Rcode.NOERROR) {
      this.refused.push(rcodeToText(rcode));
      return false;
    }
    this.acknowledged.push(`${name}.smb.example.`);
    return true;
  }
}
