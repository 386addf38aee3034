/**
 * Answers ordinary queries from the zone images: RFC 1034 §4.3.2 as amended by RFC 2308 (negative answers), RFC 4592
 * (wildcards), RFC 6672 (DNAME), RFC 6891 (EDNS), RFC 8482 (ANY) and RFC 9471 (glue). Bytes in, bytes out: no
 * allocation, no I/O, no exception.
 */
import type { ExtendedError } from "../wire/edns.ts";
import { edeOption, MAX_UDP_PAYLOAD } from "../wire/edns.ts";
import { RrClass } from "../wire/iana/class.ts";
import { Ede, EdnsOption, Rcode } from "../wire/iana/code.ts";
import { RrType } from "../wire/iana/type.ts";
import { Flag } from "../wire/message.ts";
import { LOWER, MAX_NAME_LENGTH } from "../wire/name.ts";
import { HEADER_LENGTH } from "../wire/writer.ts";
import type { NameScratch } from "../zone/image/hash.ts";
import { Node, NodeFlag, RECORD_HEAD } from "../zone/image/layout.ts";
import type { ImageReader } from "../zone/image/reader.ts";
import { NOT_FOUND } from "../zone/image/reader.ts";
import type { NearNetworks } from "../zone/near.ts";
import type { FoundZone, ZoneSet } from "../zone/zone-set.ts";
import type { Client } from "./near-first.ts";
import { NearFirst } from "./near-first.ts";
import { QuestionReader, Reading } from "./question.ts";

/** {@link QueryAnswerer.answer}: nothing is to be sent. */
export const SILENCE = 0;
/** {@link QueryAnswerer.answer}: not an ordinary query; the dispatcher decodes it whole. */
export const NOT_A_QUERY = -1;
/**
 * {@link QueryAnswerer.answer}: asks, with recursion desired, for a name that another server is asked about. Whoever may
 * not have that gets {@link QueryAnswerer.refuse}.
 */
export const ELSEWHERE = -2;

/** CNAMEs and DNAMEs followed for one question. Longer chains end there; the resolver goes on by itself. */
const MAX_CHAIN = 16;
/** Names whose addresses are added to one answer (CVE-2024-11187: unbounded additional work). */
const MAX_ADDITIONAL_NAMES = 13;
/** A compression pointer reaches no further (RFC 1035 §4.1.4). */
const MAX_POINTER = 0x3fff;
/** RDATA up to this many octets is copied octet by octet, which is then faster than a subarray and a set. */
const SMALL_COPY = 96;

/** Octets of an OPT record without options (RFC 6891 §6.1.2), and of an option's code and length. */
const OPT_LENGTH = 11;
const OPTION_HEAD = 4;
/** A longer NSID is cut, so that OPT and the longest question always fit 512 octets. */
const MAX_NSID = 128;

/** Told to a client that asks for names elsewhere and may not. */
export const NOT_FOR_YOU: ExtendedError = {
  code: Ede.PROHIBITED,
  text: "other servers are not asked for this client: see clients of [[forward]]",
};

const encoder = new TextEncoder();

export interface AnswerSettings {
  /** The NSID (RFC 5001); empty: not answered. */
  readonly identity: string;
}

export class QueryAnswerer {
  /** Replaced when zones come or go. */
  zones: ZoneSet;
  readonly question: QuestionReader = new QuestionReader();
  readonly #nsid: Uint8Array;
  readonly #notOurs: Uint8Array = edeOption({
    code: Ede.NOT_AUTHORITATIVE,
    text: "no zone here holds this name",
  }).data;
  readonly #notForYou: Uint8Array = edeOption(NOT_FOR_YOU).data;
  #qname: NameScratch;
  #target: NameScratch;

  // The answer under construction.
  #out: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Octets the message may have, and without its OPT record. */
  #wholeLimit = 0;
  #limit = 0;
  #answers = 0;
  #authorities = 0;
  #additionals = 0;
  #flags = 0;
  #rcode = 0;
  #ede: Uint8Array | undefined;
  /** State of the generator that turns multi-record RRsets; never 0. */
  #turn = 0x2545_f491;
  readonly #nearFirst: NearFirst = new NearFirst();
  /** Of the zone whose records are being copied. */
  #near: NearNetworks | undefined;
  /** Where the names of a CNAME or DNAME chain stand in the answer, the question's first. */
  readonly #chain: Uint16Array = new Uint16Array(MAX_CHAIN);
  #aboveLabel = 0;
  /** Nodes whose addresses are in the answer, and the images they are of. */
  readonly #added: Float64Array = new Float64Array(MAX_ADDITIONAL_NAMES);
  readonly #addedFrom: (ImageReader | undefined)[] = Array.from(
    { length: MAX_ADDITIONAL_NAMES },
    () => undefined,
  );

  constructor(zones: ZoneSet, settings: AnswerSettings) {
    this.zones = zones;
    this.#nsid = encoder.encode(settings.identity).subarray(0, MAX_NSID);
    this.#qname = zones.newScratch();
    this.#target = zones.newScratch();
  }

  /** Who asks: to be set before each message where any zone's addresses go by place. */
  get client(): Client {
    return this.#nearFirst.client;
  }

  /**
   * Answers one message.
   * @param request the message begins at octet 0 and has `length` octets
   * @param out where the answer goes, from octet 0; at least `maxLength` long
   * @param maxLength most octets the transport and a signature to come leave; UDP's own limit is applied as well
   * @returns octets written, {@link SILENCE}, {@link NOT_A_QUERY} or {@link ELSEWHERE}
   */
  answer(request: Uint8Array, length: number, out: Uint8Array, maxLength: number, udp: boolean): number {
    const reading = this.question.read(request, length);
    if (reading === Reading.OTHER) return NOT_A_QUERY;
    if (reading === Reading.SILENCE) return SILENCE;
    return this.respond(reading, request, out, maxLength, udp);
  }

  /**
   * Answers what `question` holds: set by `question.read`, or by the dispatcher from a message that it decoded whole.
   * The question stands uncompressed at octet 12 of `request`.
   * @returns octets written, or {@link ELSEWHERE}
   */
  respond(reading: number, request: Uint8Array, out: Uint8Array, maxLength: number, udp: boolean): number {
    const { question } = this;
    this.#out = out;
    this.#answers = 0;
    this.#authorities = 0;
    this.#additionals = 0;
    this.#flags = 0;
    this.#rcode = Rcode.NOERROR;
    this.#ede = undefined;
    const end = question.questionEnd;
    this.#wholeLimit = udp ? Math.min(maxLength, question.udpLimit) : maxLength;
    this.#limit = question.edns ? this.#wholeLimit - this.#optLength() : this.#wholeLimit;
    out[0] = request[0]!;
    out[1] = request[1]!;
    this.#at = HEADER_LENGTH;
    if (reading === Reading.MALFORMED || this.#qname.load(request, HEADER_LENGTH, end) === 0) {
      question.edns = false;
      this.#rcode = Rcode.FORMERR;
      return this.#finish(0);
    }
    if (end > this.#limit) {
      // Next to the signature to come there is not even room for the question (RFC 8945 §5.3).
      this.#flags = Flag.TC;
      return this.#finish(0);
    }
    for (let i = HEADER_LENGTH; i < end; i++) out[i] = request[i]!;
    this.#at = end;
    if (reading === Reading.BAD_VERSION) {
      this.#rcode = Rcode.BADVERS;
      return this.#finish(1);
    }
    const zone = this.#zoneFor(question.type);
    if (zone === undefined) {
      // RFC 1034 §4.3.1: recursion is for those who ask for it.
      const recursion = (question.flags & Flag.RD) !== 0 && request[end - 1] === RrClass.IN;
      if (recursion && this.zones.isElsewhere(this.#qname)) return ELSEWHERE;
      this.#rcode = Rcode.REFUSED;
      this.#ede = this.#notOurs;
      return this.#finish(1);
    }
    if (!this.#resolve(zone, question.type)) {
      // RFC 2181 §9: what was left out was needed, so the client must come again by TCP, which takes all there can be.
      if (udp) this.#flags |= Flag.TC;
      else this.#rcode = Rcode.SERVFAIL;
      this.#at = end;
      this.#answers = 0;
      this.#authorities = 0;
      this.#additionals = 0;
    }
    // RFC 1035 §6.2: an answer for all classes would have to cover them all to be authoritative.
    if (request[end - 1] === RrClass.ANY) this.#flags &= ~Flag.AA;
    return this.#finish(1);
  }

  /** In place of what {@link ELSEWHERE} asks for, from a client that may not have it: REFUSED. @returns octets written */
  refuse(): number {
    this.#rcode = Rcode.REFUSED;
    this.#ede = this.#notForYou;
    return this.#finish(1);
  }

  /**
   * The zone that answers for `#qname`. DS lives above the cut (RFC 4035 §3.1.4.1): where both sides of it are served
   * the parent answers; where only the child is, it says NODATA.
   */
  #zoneFor(type: number): FoundZone | undefined {
    const name = this.#qname;
    const zone = this.zones.find(name);
    if (type !== RrType.DS || zone === undefined || zone.labels !== name.labels || name.labels === 0)
      return zone;
    const parent = this.zones.find(name, 1);
    if (parent === undefined) return zone;
    const node = parent.reader.find(name, 0);
    return node !== NOT_FOUND && (parent.reader.flags(node) & NodeFlag.NS) !== 0 ? parent : zone;
  }

  /** RFC 1034 §4.3.2 steps 2 to 6. False where the answer does not fit. */
  #resolve(start: FoundZone, type: number): boolean {
    const name = this.#qname;
    let zone: FoundZone | undefined = start;
    let ownerAt = HEADER_LENGTH; // where the name stands uncompressed in the answer
    this.#flags |= Flag.AA; // taken back for a referral
    for (let hops = 0; zone !== undefined; hops++) {
      if (hops > 0 && (hops === MAX_CHAIN || this.#wasAsked(hops))) return true;
      this.#chain[hops] = ownerAt;
      const { reader } = zone;
      this.#near = zone.near;
      const apexLabel = name.labels - zone.labels;

      // Step 3b and RFC 6672 §3.2: a zone cut or a DNAME above the name decides before the name itself.
      const above = reader.cuts > 0 || reader.dnames > 0 ? this.#above(reader, apexLabel, type) : NOT_FOUND;
      if (above !== NOT_FOUND) {
        const label = this.#aboveLabel;
        if (label < apexLabel && (reader.flags(above) & NodeFlag.NS) !== 0) {
          if (hops === 0) this.#flags &= ~Flag.AA;
          return this.#refer(reader, above, label, ownerAt + name.offsets[label]!);
        }
        ownerAt = this.#redirect(reader, above, label, ownerAt);
        if (ownerAt <= 0) return ownerAt === 0;
        if (type === RrType.CNAME || type === RrType.ANY) return true; // the CNAME just made is the answer
        zone = this.zones.find(name);
        continue;
      }

      let node = reader.find(name, 0);
      if (node === NOT_FOUND && reader.wildcards > 0) node = this.#wildcard(reader, apexLabel);
      if (node === NOT_FOUND) {
        this.#rcode = Rcode.NXDOMAIN;
        return this.#negative(reader, ownerAt + name.offsets[apexLabel]!, type);
      }
      if ((reader.flags(node) & NodeFlag.CNAME) !== 0 && type !== RrType.CNAME && type !== RrType.ANY) {
        const from = this.#at;
        if (!this.#copy(reader, node, reader.findRrset(node, RrType.CNAME), ownerAt)) return false;
        this.#answers++;
        ownerAt = from + RECORD_HEAD;
        name.load(this.#out, ownerAt, this.#at);
        zone = this.zones.find(name);
        continue;
      }
      // RFC 8482 §4.1: for ANY, one RRset that is there stands for all.
      let entry: number;
      if (type !== RrType.ANY) entry = reader.findRrset(node, type);
      else entry = reader.rrsetCount(node) > 0 ? node + Node.DIRECTORY : NOT_FOUND;
      if (entry === NOT_FOUND) return this.#negative(reader, ownerAt + name.offsets[apexLabel]!, type);
      const from = this.#at;
      if (!this.#copy(reader, node, entry, ownerAt)) return false;
      this.#answers += this.#count(reader, entry);
      this.#addAddresses(from, this.#at);
      return true;
    }
    return true;
  }

  /** Whether a chain came back to a name it has been at: a loop, and to have said it once is enough. */
  #wasAsked(hops: number): boolean {
    const name = this.#qname;
    const out = this.#out;
    for (let i = 0; i < hops; i++) {
      const at = this.#chain[i]!;
      let same = 0;
      while (same < name.length && LOWER[out[at + same]!] === name.lower[same]) same++;
      if (same === name.length) return true;
    }
    return false;
  }

  /** The topmost zone cut at or above `#qname`, or DNAME above it; its label is left in `#aboveLabel`. */
  #above(reader: ImageReader, apexLabel: number, type: number): number {
    const name = this.#qname;
    for (let label = apexLabel; label >= 0; label--) {
      const node = reader.find(name, label);
      if (node === NOT_FOUND) return NOT_FOUND; // nothing exists below a name that does not
      const flags = reader.flags(node);
      const cut = (flags & NodeFlag.NS) !== 0 && label < apexLabel && (type !== RrType.DS || label > 0);
      if (cut || ((flags & NodeFlag.DNAME) !== 0 && label > 0)) {
        this.#aboveLabel = label;
        return node;
      }
    }
    return NOT_FOUND;
  }

  /** RFC 4592 §3.3.1: the wildcard directly below the closest encloser, or nothing. */
  #wildcard(reader: ImageReader, apexLabel: number): number {
    for (let label = 1; label <= apexLabel; label++) {
      if (reader.find(this.#qname, label) !== NOT_FOUND) return reader.findWildcard(this.#qname, label);
    }
    return NOT_FOUND;
  }

  /** NODATA and NXDOMAIN: the SOA, its owner at `ownerAt`, with the negative TTL (RFC 2308 §3, §5). */
  #negative(reader: ImageReader, ownerAt: number, type: number): boolean {
    const apex = reader.apex();
    const from = this.#at;
    if (!this.#copy(reader, apex, reader.findRrset(apex, RrType.SOA), ownerAt)) return false;
    this.#authorities++;
    const out = this.#out;
    const minimum = this.#at - 4;
    if (readU32(out, minimum) < readU32(out, from + 6)) out.copyWithin(from + 6, minimum, minimum + 4);
    // A Windows host asks for the SOA of its own name and sends its update to MNAME: spare it the next question.
    if (type === RrType.SOA) this.#addAddresses(from, this.#at);
    return true;
  }

  /**
   * A referral: NS without AA, and the glue it needs (RFC 1034 §4.3.2 step 3b).
   * @returns false where an address of a server within the delegated zone does not fit (RFC 9471 §3.1)
   */
  #refer(reader: ImageReader, node: number, label: number, ownerAt: number): boolean {
    const from = this.#at;
    const entry = reader.findRrset(node, RrType.NS);
    if (!this.#copy(reader, node, entry, ownerAt)) return false;
    this.#authorities += this.#count(reader, entry);
    const to = this.#at;
    const target = this.#target;
    let others = false;
    for (let at = from; at < to; at += recordLength(this.#out, at)) {
      const nameAt = at + RECORD_HEAD;
      target.load(this.#out, nameAt, to);
      if (!target.endsWith(this.#qname, label)) others = true;
      else if (!this.#addressesAt(reader, reader.find(target, 0), nameAt)) return false;
    }
    // Servers elsewhere: a resolver can find them by itself, so they are not worth a truncated answer (RFC 9471 §3.2).
    if (others) this.#addAddresses(from, to, label);
    return true;
  }

  /**
   * Writes a DNAME and the CNAME made from it (RFC 6672 §3.1), and leaves the new name in `#qname`.
   * @returns where the new name stands; 0 where the answer is complete (YXDOMAIN); -1 where it does not fit
   */
  #redirect(reader: ImageReader, node: number, label: number, ownerAt: number): number {
    const name = this.#qname;
    const entry = reader.findRrset(node, RrType.DNAME);
    const from = this.#at;
    const keep = name.offsets[label]!;
    if (!this.#copy(reader, node, entry, ownerAt + keep)) return -1;
    this.#answers++;
    const target = from + RECORD_HEAD;
    const targetLength = this.#at - target;
    if (keep + targetLength > MAX_NAME_LENGTH) {
      this.#rcode = Rcode.YXDOMAIN;
      return 0;
    }
    const length = keep + targetLength;
    const at = this.#at;
    if (at + RECORD_HEAD + length > this.#limit || ownerAt > MAX_POINTER) return -1;
    const out = this.#out;
    out[at] = 0xc0 | (ownerAt >> 8);
    out[at + 1] = ownerAt & 0xff;
    out[at + 2] = 0;
    out[at + 3] = RrType.CNAME;
    for (let i = 4; i < 10; i++) out[at + i] = out[from + i]!; // class and TTL of the DNAME
    out[at + 10] = length >> 8;
    out[at + 11] = length & 0xff;
    const rdata = at + RECORD_HEAD;
    for (let i = 0; i < keep; i++) out[rdata + i] = out[ownerAt + i]!;
    for (let i = 0; i < targetLength; i++) out[rdata + keep + i] = out[target + i]!;
    this.#at = rdata + length;
    this.#answers++;
    name.load(out, rdata, this.#at);
    return rdata;
  }

  /**
   * Adds A and AAAA of the hosts named in the NS, MX, SRV or SOA records between two octets of the answer, as far as
   * they are known here and there is room. `exceptBelow`: leave out those within this suffix of `#qname`.
   */
  #addAddresses(from: number, to: number, exceptBelow = -1): void {
    const out = this.#out;
    const skip = targetOffset((out[from + 2]! << 8) | out[from + 3]!);
    if (skip < 0) return;
    const target = this.#target;
    let added = 0;
    for (let at = from; at < to && added < MAX_ADDITIONAL_NAMES; at += recordLength(out, at)) {
      const nameAt = at + RECORD_HEAD + skip;
      if (target.load(out, nameAt, to) === 0) continue;
      if (exceptBelow >= 0 && target.endsWith(this.#qname, exceptBelow)) continue;
      const zone = this.zones.find(target);
      const node = zone === undefined ? NOT_FOUND : zone.reader.find(target, 0);
      if (node === NOT_FOUND || this.#isAdded(zone!.reader, node, added)) continue;
      this.#added[added] = node;
      this.#addedFrom[added] = zone!.reader;
      added++;
      this.#near = zone!.near;
      this.#addressesAt(zone!.reader, node, nameAt);
    }
  }

  /** Whether a node's addresses are in the answer already: several SRV records often name one host. */
  #isAdded(reader: ImageReader, node: number, added: number): boolean {
    for (let i = 0; i < added; i++) if (this.#added[i] === node && this.#addedFrom[i] === reader) return true;
    return false;
  }

  /** Adds A and AAAA of a node, owned by the name at `ownerAt`. False where one did not fit. */
  #addressesAt(reader: ImageReader, node: number, ownerAt: number): boolean {
    if (node === NOT_FOUND) return true;
    const a = this.#additional(reader, node, RrType.A, ownerAt);
    return this.#additional(reader, node, RrType.AAAA, ownerAt) && a;
  }

  #additional(reader: ImageReader, node: number, type: number, ownerAt: number): boolean {
    const entry = reader.findRrset(node, type);
    if (entry === NOT_FOUND) return true;
    if (!this.#copy(reader, node, entry, ownerAt)) return false;
    this.#additionals += this.#count(reader, entry);
    return true;
  }

  #count(reader: ImageReader, entry: number): number {
    return reader.memory.u32[entry / 4]! >>> 16;
  }

  /**
   * Copies a whole RRset into the answer, its owner a pointer to `ownerAt`; several records begin with another one
   * each time (RFC 1794 §3.1), or with those near the client where the zone says so. False, and nothing written, where
   * it does not fit.
   */
  #copy(reader: ImageReader, node: number, entry: number, ownerAt: number): boolean {
    const { u8, u32 } = reader.memory;
    const word = entry / 4;
    const count = u32[word]! >>> 16;
    const length = u32[word + 3]!;
    const from = node + u32[word + 2]!;
    const to = this.#at;
    if (length > this.#limit - to || ownerAt > MAX_POINTER) return false;
    if (count === 1) {
      this.#move(u8, from, length, to);
    } else {
      const turn = this.#random();
      if (this.#near === undefined || !this.#copyNearFirst(this.#near, u8, from, length, count, turn)) {
        let split = 0;
        for (let skip = (turn * count) >>> 16; skip > 0; skip--) split += recordLength(u8, from + split);
        this.#move(u8, from + split, length - split, to);
        this.#move(u8, from, split, to + length - split);
      }
    }
    this.#at = to + length;
    if (ownerAt !== HEADER_LENGTH) {
      const out = this.#out;
      for (let at = to; at < this.#at; at += recordLength(out, at)) {
        out[at] = 0xc0 | (ownerAt >> 8);
        out[at + 1] = ownerAt & 0xff;
      }
    }
    return true;
  }

  /** False where the records are no addresses, or none of them is nearer to the client than others. */
  #copyNearFirst(
    near: NearNetworks,
    source: Uint8Array,
    from: number,
    length: number,
    count: number,
    turn: number,
  ): boolean {
    const type = (source[from + 2]! << 8) | source[from + 3]!;
    if (type !== RrType.A && type !== RrType.AAAA) return false;
    return this.#nearFirst.copy(near, source, from, length, count, turn, this.#out, this.#at);
  }

  /**
   * 16 bits that say which record of several comes first. By a generator (xorshift), not by counting up: a host that asks
   * for A and AAAA in turn, or an answer with two RRsets in it, would see the same start each time.
   */
  #random(): number {
    let x = this.#turn;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#turn = x;
    return x >>> 16;
  }

  #move(source: Uint8Array, from: number, length: number, to: number): void {
    const out = this.#out;
    if (length > SMALL_COPY) out.set(source.subarray(from, from + length), to);
    else for (let i = 0; i < length; i++) out[to + i] = source[from + i]!;
  }

  /** Octets of the OPT record of this answer, an Extended DNS Error not counted: it takes what room is left. */
  #optLength(): number {
    return OPT_LENGTH + (this.#sendsNsid ? OPTION_HEAD + this.#nsid.length : 0);
  }

  /** Whether it is asked for, and there is one. */
  get #sendsNsid(): boolean {
    return this.question.nsid && this.#nsid.length > 0;
  }

  /** Writes OPT and header. Returns the answer's length. */
  #finish(questions: number): number {
    const out = this.#out;
    if (this.question.edns) this.#writeOpt();
    // ID and RD are the request's (RFC 1035 §4.1.1); RA, AD and CD are never set by an authoritative server.
    const flags = 0x8000 | this.#flags | (this.question.flags & 0x7900) | (this.#rcode & 0xf);
    out[2] = flags >> 8;
    out[3] = flags & 0xff;
    out[4] = 0;
    out[5] = questions;
    out[6] = this.#answers >> 8;
    out[7] = this.#answers & 0xff;
    out[8] = this.#authorities >> 8;
    out[9] = this.#authorities & 0xff;
    out[10] = this.#additionals >> 8;
    out[11] = this.#additionals & 0xff;
    return this.#at;
  }

  #writeOpt(): void {
    const out = this.#out;
    const { question } = this;
    let at = this.#at;
    out[at++] = 0;
    out[at++] = 0;
    out[at++] = RrType.OPT;
    out[at++] = MAX_UDP_PAYLOAD >> 8;
    out[at++] = MAX_UDP_PAYLOAD & 0xff;
    out[at++] = this.#rcode >> 4;
    out[at++] = 0;
    out[at++] = question.dnssecOk ? 0x80 : 0;
    out[at++] = 0;
    const options = (at += 2);
    if (this.#sendsNsid) at = this.#writeOption(at, EdnsOption.NSID, this.#nsid);
    if (this.#ede !== undefined) at = this.#writeOption(at, EdnsOption.EDE, this.#ede);
    out[options - 2] = (at - options) >> 8;
    out[options - 1] = (at - options) & 0xff;
    this.#at = at;
    this.#additionals++;
  }

  /** Writes an option, where there is room for it: it is never what an answer is for. Returns the offset after it. */
  #writeOption(at: number, code: number, data: Uint8Array): number {
    const end = at + OPTION_HEAD + data.length;
    if (end > this.#wholeLimit) return at;
    const out = this.#out;
    out[at] = code >> 8;
    out[at + 1] = code & 0xff;
    out[at + 2] = data.length >> 8;
    out[at + 3] = data.length & 0xff;
    out.set(data, at + OPTION_HEAD);
    return end;
  }
}

/** Octets of the record at `at`, its owner being a pointer. */
function recordLength(bytes: Uint8Array, at: number): number {
  return RECORD_HEAD + ((bytes[at + 10]! << 8) | bytes[at + 11]!);
}

/** Where in the RDATA of a type the name stands whose addresses a client will want next; -1 for the other types. */
function targetOffset(type: number): number {
  if (type === RrType.NS || type === RrType.SOA) return 0;
  if (type === RrType.MX) return 2;
  return type === RrType.SRV ? 6 : -1;
}

function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
