/** Zones written as master files, served by a QueryAnswerer; questions and answers as text. For tests of lookups. */
import { QueryAnswerer } from "../../src/protocol/query.ts";
import { RrClass } from "../../src/wire/iana/class.ts";
import { rcodeToText } from "../../src/wire/iana/code.ts";
import { typeFromText, typeToText } from "../../src/wire/iana/type.ts";
import type { EdnsOptionValue } from "../../src/wire/edns.ts";
import { decodeMessage, encodeMessage, Flag, type Message } from "../../src/wire/message.ts";
import { Name } from "../../src/wire/name.ts";
import { rdataToText } from "../../src/wire/rdata/rdata.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import { hashSeed } from "../../src/zone/image/hash.ts";
import { ZoneImage } from "../../src/zone/image/image.ts";
import type { NearNetworks } from "../../src/zone/near.ts";
import { ZoneSet } from "../../src/zone/zone-set.ts";
import { parseZone } from "../../src/zonefile/parser.ts";

/** A fixed seed: a test that fails must fail again. */
export const SEED = hashSeed(Uint8Array.of(0x9e, 0x37, 0x79, 0xb9, 0x7f, 0x4a, 0x7c, 0x15));

/** The records of a master file. @throws Error with every mistake in it */
export function recordsOf(origin: string, text: string): ResourceRecord[] {
  const parsed = parseZone(text, { file: `${origin}zone`, origin: Name.parse(origin) });
  if (parsed.hasErrors) throw new Error(parsed.problems.map(({ message }) => message).join("\n"));
  return parsed.records;
}

/** The image of one zone. */
export function imageOf(origin: string, text: string): ZoneImage {
  return ZoneImage.build(Name.parse(origin), recordsOf(origin, text), SEED);
}

export interface AskOptions {
  /** Over TCP: no limit but the message's own. */
  readonly tcp?: boolean;
  /** Adds an OPT record. */
  readonly edns?: { readonly payload?: number; readonly version?: number; readonly dnssecOk?: boolean };
  readonly options?: readonly EdnsOptionValue[];
  readonly class?: number;
  /** Header flags of the request. */
  readonly flags?: number;
  readonly maxLength?: number;
  /** Numeric address of who asks. */
  readonly client?: string;
}

/** An answer as text, sections sorted, to be compared whole. */
export interface AnswerText {
  readonly rcode: string;
  /** `aa`, `tc`, `rd`, `ra`, `ad`, `cd`, those set, in that order. */
  readonly flags: string;
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
}

export const nsid: EdnsOptionValue = { code: 3, data: new Uint8Array(0) };

/** A query as it goes on the wire. */
export function queryOctets(name: Name, type: number, options: AskOptions = {}): Uint8Array {
  return encodeMessage({
    id: 0x2b1d,
    flags: options.flags ?? 0,
    rcode: 0,
    questions: [{ name, type, class: options.class ?? RrClass.IN }],
    edns:
      options.edns === undefined
        ? undefined
        : {
            udpPayload: options.edns.payload ?? 1232,
            version: options.edns.version ?? 0,
            extendedRcode: 0,
            dnssecOk: options.edns.dnssecOk ?? false,
            options: options.options ?? [],
          },
  });
}

/** Some zones, ready to be asked. */
export class Served {
  readonly images: readonly ZoneImage[];
  readonly answerer: QueryAnswerer;
  readonly #out = new Uint8Array(65_535);

  constructor(images: readonly ZoneImage[], identity = "test", near?: NearNetworks) {
    this.images = images;
    const zones = images.map(({ apex, reader }) => ({ apex, reader, near }));
    this.answerer = new QueryAnswerer(new ZoneSet(SEED, zones), { identity });
  }

  /** What comes back for these octets: the answer's octets, or the answerer's code where it is none. */
  exchange(request: Uint8Array, options: AskOptions = {}): Uint8Array | number {
    // What an earlier answer left in the buffer must not be seen again.
    this.#out.fill(0xaa);
    const udp = options.tcp !== true;
    if (options.client !== undefined) this.answerer.client.setText(options.client);
    const length = this.answerer.answer(request, request.length, this.#out, options.maxLength ?? 65_535, udp);
    if (length <= 0) return length;
    const payload = Math.min(
      1232,
      Math.max(512, options.edns === undefined ? 512 : (options.edns.payload ?? 1232)),
    );
    const limit = Math.min(options.maxLength ?? 65_535, udp ? payload : 65_535);
    if (length > limit) throw new Error(`an answer of ${length} octets, and ${limit} are allowed`);
    if (this.#out.subarray(limit, limit + 64).some((octet) => octet !== 0xaa)) {
      throw new Error("something was written beyond the limit");
    }
    return this.#out.slice(0, length);
  }

  /** @param question `NAME TYPE`, the name absolute */
  ask(question: string, options: AskOptions = {}): Message {
    const [name, type] = question.split(" ");
    const request = queryOctets(Name.parse(name!), typeFromText(type!)!, options);
    const reply = this.exchange(request, options);
    if (typeof reply === "number") throw new Error(`${question}: not answered (${reply})`);
    const message = decodeMessage(reply);
    if (message.trailing !== 0) throw new Error(`${question}: ${message.trailing} octets after the answer`);
    return message;
  }

  /** {@link ask}, the answer as text. */
  askText(question: string, options: AskOptions = {}): AnswerText {
    return answerText(this.ask(question, options));
  }
}

/** Serves zones given as `[origin, master file]`. */
export function serve(...zones: readonly (readonly [origin: string, text: string])[]): Served {
  return new Served(zones.map(([origin, text]) => imageOf(origin, text)));
}

const FLAGS = { aa: Flag.AA, tc: Flag.TC, rd: Flag.RD, ra: Flag.RA, ad: Flag.AD, cd: Flag.CD };

export function answerText(message: Message): AnswerText {
  return {
    rcode: rcodeToText(message.header.rcode | ((message.edns?.extendedRcode ?? 0) << 4)),
    flags: Object.entries(FLAGS)
      .filter(([, bit]) => (message.header.flags & bit) !== 0)
      .map(([name]) => name)
      .join(" "),
    answer: message.answers.map(rrText).toSorted(),
    authority: message.authorities.map(rrText).toSorted(),
    additional: message.additionals.map(rrText).toSorted(),
  };
}

/** `OWNER TTL TYPE RDATA`. */
export function rrText(rr: ResourceRecord): string {
  return `${rr.name.toString()} ${rr.ttl} ${typeToText(rr.type)} ${rdataToText(rr.type, rr.rdata)}`;
}
