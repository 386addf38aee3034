/**
 * Answers ordinary queries from the zone images: RFC 1034 §4.3.2 as amended by RFC 2308 (negative answers), RFC 4592
 * (wildcards), RFC 6672 (DNAME), RFC 6891 (EDNS), RFC 8482 (ANY) and RFC 9471 (glue). Bytes in, bytes out: no
 * allocation, no I/O, no exception.
 */
import { edeOption, MAX_UDP_PAYLOAD } from "../wire/edns.ts";
import { Ede, EdnsOption, Rcode } from "../wire/iana/code.ts";
import { RrType } from "../wire/iana/type.ts";
import { MAX_NAME_LENGTH } from "../wire/name.ts";
import { HEADER_LENGTH } from "../wire/writer.ts";
import type { NameScratch } from "../zone/image/hash.ts";
import { Node, NodeFlag, RECORD_HEAD } from "../zone/image/layout.ts";
import type { ImageReader } from "../zone/image/reader.ts";
import { NOT_FOUND } from "../zone/image/reader.ts";
import type { FoundZone, ZoneSet } from "../zone/zone-set.ts";
import { QuestionReader, Reading } from "./question.ts";

/** {@link QueryAnswerer.answer}: nothing is to be sent. */
export const SILENCE = 0;
/** {@link QueryAnswerer.answer}: not an ordinary query; the dispatcher decodes it whole. */
export const NOT_A_QUERY = -1;

/** CNAMEs and DNAMEs followed for one question. Longer chains end there; the resolver goes on by itself. */
const MAX_CHAIN = 16;
/** Names whose addresses are added to one answer (CVE-2024-11187: unbounded additional work). */
const MAX_ADDITIONAL_NAMES = 13;
/** A compression pointer reaches no further (RFC 1035 §4.1.4). */
const MAX_POINTER = 0x3fff;
/** RDATA up to this many octets is copied octet by octet, which is then faster than a subarray and a set. */
const SMALL_COPY = 96;

const encoder = new TextEncoder();

export interface AnswerSettings {
  /** The NSID (RFC 5001) and `id.server` (RFC 4892). */
  readonly identity: string;
}

export class QueryAnswerer {
  /** Replaced when zones come or go. */
  zones: ZoneSet;
  readonly question: QuestionReader = new QuestionReader();
  readonly #nsid: Uint8Array;
  readonly #notOurs: Uint8Array = edeOption({ code: Ede.NOT_AUTHORITATIVE, text: "no zone here holds this name" }).data;
  #qname: NameScratch;
  #target: NameScratch;

  // The answer under construction.
  #out: Uint8Array = new Uint8Array(0);
  #at = 0;
  #limit = 0;
  #answers = 0;
  #authorities = 0;
  #additionals = 0;
  #flags = 0;
  #rcode = 0;
  #ede = false;
  /** Turns multi-record RRsets; any start will do. */
  #turn = 0;
  readonly #visited: Float64Array = new Float64Array(MAX_CHAIN);
  readonly #addressed: Float64Array = new Float64Array(MAX_ADDITIONAL_NAMES);
  readonly #addressedIn: (ImageReader | undefined)[] = Array.from({ length: MAX_ADDITIONAL_NAMES }, () => undefined);
  #addressedCount = 0;

  constructor(zones: ZoneSet, settings: AnswerSettings) {
    this.zones = zones;
    this.#nsid = encoder.encode(settings.identity);
    this.#qname = zones.newScratch();
    this.#target = zones.newScratch();
  }

  /**
   * Answers one message.
   * @param request the message begins at octet 0 and has `length` octets
   * @param out where the answer goes, from octet 0; at least `maxLength` long
   * @param maxLength most octets the transport and a signature to come leave; UDP's own limit is applied as well
   * @returns octets written, {@link SILENCE} or {@link NOT_A_QUERY}
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
   */
  respond(reading: number, request: Uint8Array, out: Uint8Array, maxLength: number, udp: boolean): number {
    const { question } = this;
    this.#out = out;
    this.#answers = 0;
    this.#authorities = 0;
    this.#additionals = 0;
    this.#flags = 0;
    this.#rcode = Rcode.NOERROR;
    this.#ede = false;
    this.#addressedCount = 0;
    const end = question.questionEnd;
    const limit = udp ? Math.min(maxLength, question.udpLimit) : maxLength;
    this.#limit = question.edns ? limit - this.#optLength(0) : limit;
    for (let i = 0; i < end; i++) out[i] = request[i]!;
    this.#at = end;
    if (reading === Reading.MALFORMED) {
      question.edns = false;
      this.#rcode = Rcode.FORMERR;
      this.#at = HEADER_LENGTH;
      return this.#finish(0);
    }
    if (reading === Reading.BAD_VERSION) {
      this.#rcode = Rcode.BADVERS;
      return this.#finish(1);
    }
    this.#qname.load(request, HEADER_LENGTH, end);
    const { type } = question;
    // DS lives in the parent zone (RFC 4035 §3.1.4.1).
    const parent = type === RrType.DS && this.#qname.labels > 0 ? this.zones.find(this.#qname, 1) : undefined;
    const zone = parent ?? this.zones.find(this.#qname);
    if (zone === undefined) {
      this.#rcode = Rcode.REFUSED;
      this.#ede = question.edns;
      return this.#finish(1);
    }
    if (!this.#resolve(zone, type)) {
      // RFC 2181 §9: what was left out was needed, so the client must come again by TCP.
      this.#flags |= 0x0200;
      this.#at = end;
      this.#answers = 0;
      this.#authorities = 0;
      this.#additionals = 0;
    }
    return this.#finish(1);
  }

  /** RFC 1034 §4.3.2 steps 2 to 6. False where the answer does not fit. */
  #resolve(start: FoundZone, type: number): boolean {
    let zone: FoundZone | undefined = start;
    const name = this.#qname;
    let ownerAt = HEADER_LENGTH; // where the name stands uncompressed in the answer
    this.#flags |= 0x0400; // AA, taken back for a referral
    for (let hops = 0; zone !== undefined; hops++) {
      const { reader } = zone;
      const apexLabel = name.labels - zone.labels;
      this.#visited[hops] = NOT_FOUND;
      // Step 3b and RFC 6672 §3.2: a zone cut or a DNAME above the name decides before the name itself.
      if (reader.cuts > 0 || reader.dnames > 0) {
        for (let label = apexLabel; label >= 0; label--) {
          const above = reader.find(name, label);
          if (above === NOT_FOUND) continue;
          const flags = reader.flags(above);
          if ((flags & NodeFlag.NS) !== 0 && label < apexLabel && !(type === RrType.DS && label === 0)) {
            return this.#refer(reader, above, ownerAt + name.offsets[label]!, hops);
          }
          if ((flags & NodeFlag.DNAME) !== 0 && label > 0) {
            ownerAt = this.#redirect(reader, above, label, ownerAt);
            if (ownerAt <= 0) return ownerAt === 0;
            break;
          }
        }
        if (this.#redirected) {
          this.#redirected = false;
          if (hops >= MAX_CHAIN - 1) return true;
          zone = this.zones.find(name);
          continue;
        }
      }
      let node = reader.find(name, 0);
      if (node === NOT_FOUND && reader.wildcards > 0) node = this.#wildcard(reader, apexLabel);
      if (node === NOT_FOUND) {
        this.#rcode = Rcode.NXDOMAIN;
        return this.#negative(reader, name, ownerAt, apexLabel, type);
      }
      const flags = reader.flags(node);
      if ((flags & NodeFlag.CNAME) !== 0 && type !== RrType.CNAME && type !== RrType.ANY) {
        for (let i = 0; i < hops; i++) if (this.#visited[i] === node) return true; // a loop: said once is enough
        this.#visited[hops] = node;
        const entry = reader.findRrset(node, RrType.CNAME);
        const from = this.#at;
        if (!this.#copy(reader, node, entry, ownerAt)) return false;
        this.#answers++;
        ownerAt = from + RECORD_HEAD;
        if (hops >= MAX_CHAIN - 1 || name.load(this.#out, ownerAt, this.#at) === 0) return true;
        zone = this.zones.find(name);
        continue;
      }
      // RFC 8482 §4.1: for ANY, one RRset that is there stands for all.
      let entry: number;
      if (type !== RrType.ANY) entry = reader.findRrset(node, type);
      else entry = reader.rrsetCount(node) > 0 ? node + Node.DIRECTORY : NOT_FOUND;
      if (entry === NOT_FOUND) return this.#negative(reader, name, ownerAt, apexLabel, type);
      const from = this.#at;
      if (!this.#copy(reader, node, entry, ownerAt)) return false;
      this.#answers += this.#count(reader, entry);
      this.#addresses(from, this.#at);
      return true;
    }
    return true;
  }

  #redirected = false;

  /** RFC 4592 §3.3.1: the wildcard directly below the closest encloser, or nothing. */
  #wildcard(reader: ImageReader, apexLabel: number): number {
    for (let label = 1; label <= apexLabel; label++) {
      if (reader.find(this.#qname, label) !== NOT_FOUND) return reader.findWildcard(this.#qname, label);
    }
    return NOT_FOUND;
  }

  /** NODATA and NXDOMAIN: the SOA with the negative TTL (RFC 2308 §3, §5). */
  #negative(reader: ImageReader, name: NameScratch, ownerAt: number, apexLabel: number, type: number): boolean {
    const apex = reader.apex();
    const entry = reader.findRrset(apex, RrType.SOA);
    const from = this.#at;
    if (!this.#copy(reader, apex, entry, ownerAt + name.offsets[apexLabel]!)) return false;
    this.#authorities++;
    const out = this.#out;
    const minimum = readU32(out, this.#at - 4);
    if (minimum < readU32(out, from + 6)) for (let i = 0; i < 4; i++) out[from + 6 + i] = out[this.#at - 4 + i]!;
    // A Windows host asks for the SOA of its own name and sends its update to MNAME: spare it the next question.
    if (type === RrType.SOA) this.#addresses(from, this.#at);
    return true;
  }

  /** A referral: NS without AA, and the glue it needs (RFC 1034 §4.3.2 step 3b, RFC 9471 §2). */
  #refer(reader: ImageReader, node: number, ownerAt: number, hops: number): boolean {
    if (hops === 0) this.#flags &= ~0x0400;
    const from = this.#at;
    const entry = reader.findRrset(node, RrType.NS);
    if (!this.#copy(reader, node, entry, ownerAt)) return false;
    this.#authorities += this.#count(reader, entry);
    return this.#addresses(from, this.#at);
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
    this.#redirected = true;
    return rdata;
  }

  /**
   * Adds A and AAAA of the hosts named in the NS, MX, SRV or SOA records between two octets of the answer.
   * @returns false where an address that is there did not fit
   */
  #addresses(from: number, to: number): boolean {
    const out = this.#out;
    let complete = true;
    for (let at = from; at < to; ) {
      const type = (out[at + 2]! << 8) | out[at + 3]!;
      const length = (out[at + 10]! << 8) | out[at + 11]!;
      const rdata = at + RECORD_HEAD;
      at = rdata + length;
      let skip: number;
      if (type === RrType.NS || type === RrType.SOA) skip = 0;
      else if (type === RrType.MX) skip = 2;
      else if (type === RrType.SRV) skip = 6;
      else return true;
      if (!this.#addressesOf(rdata + skip, at)) complete = false;
    }
    return complete;
  }

  #addressesOf(nameAt: number, end: number): boolean {
    if (nameAt > MAX_POINTER) return false;
    const target = this.#target;
    if (target.load(this.#out, nameAt, end) === 0) return true;
    const zone = this.zones.find(target);
    if (zone === undefined) return true;
    const { reader } = zone;
    const node = reader.find(target, 0);
    if (node === NOT_FOUND) return true;
    for (let i = 0; i < this.#addressedCount; i++) {
      if (this.#addressed[i] === node && this.#addressedIn[i] === reader) return true;
    }
    if (this.#addressedCount === MAX_ADDITIONAL_NAMES) return true;
    this.#addressed[this.#addressedCount] = node;
    this.#addressedIn[this.#addressedCount] = reader;
    this.#addressedCount++;
    const a = this.#additional(reader, node, RrType.A, nameAt);
    return this.#additional(reader, node, RrType.AAAA, nameAt) && a;
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
   * each time (RFC 1794 §3.1). False, and nothing written, where it does not fit.
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
      let split = 0;
      for (let skip = this.#turn++ % count; skip > 0; skip--) {
        split += RECORD_HEAD + ((u8[from + split + 10]! << 8) | u8[from + split + 11]!);
      }
      this.#move(u8, from + split, length - split, to);
      this.#move(u8, from, split, to + length - split);
    }
    this.#at = to + length;
    if (ownerAt !== HEADER_LENGTH) {
      const out = this.#out;
      for (let at = to; at < this.#at; at += RECORD_HEAD + ((out[at + 10]! << 8) | out[at + 11]!)) {
        out[at] = 0xc0 | (ownerAt >> 8);
        out[at + 1] = ownerAt & 0xff;
      }
    }
    return true;
  }

  #move(source: Uint8Array, from: number, length: number, to: number): void {
    const out = this.#out;
    if (length > SMALL_COPY) out.set(source.subarray(from, from + length), to);
    else for (let i = 0; i < length; i++) out[to + i] = source[from + i]!;
  }

  /** Octets of the OPT record of this answer. */
  #optLength(ede: number): number {
    return 11 + (this.question.nsid ? 4 + this.#nsid.length : 0) + (ede === 0 ? 0 : 4 + ede);
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
    const length = this.#optLength(this.#ede ? this.#notOurs.length : 0) - 11;
    out[at++] = length >> 8;
    out[at++] = length & 0xff;
    if (question.nsid) at = writeOption(out, at, EdnsOption.NSID, this.#nsid);
    if (this.#ede) at = writeOption(out, at, EdnsOption.EDE, this.#notOurs);
    this.#at = at;
    this.#additionals++;
  }
}

function writeOption(out: Uint8Array, at: number, code: number, data: Uint8Array): number {
  out[at] = code >> 8;
  out[at + 1] = code & 0xff;
  out[at + 2] = data.length >> 8;
  out[at + 3] = data.length & 0xff;
  out.set(data, at + 4);
  return at + 4 + data.length;
}

function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}
