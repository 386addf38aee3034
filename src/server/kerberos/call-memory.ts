/**
 * The memory that calls of GSS-API take their arguments from and leave their results in: out-parameters, buffers and
 * constants at fixed places, in the layout of 64-bit little-endian Linux.
 */
import { MAX_MESSAGE_LENGTH } from "../../wire/writer.ts";
import type { Gssapi } from "./gssapi.ts";

/** 1.2.840.113554.1.2.2 and 1.3.6.1.5.5.2 */
const KERBEROS = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2];
const SPNEGO = [0x2b, 6, 1, 5, 5, 2];

/** Offsets of out-parameters in the memory of a call. */
export const MINOR = 0;
export const CRED = 8;
export const CONTEXT = 16;
export const NAME = 24;
export const MECHANISM = 32;
export const FLAGS = 40;
export const TIME = 48;
export const MESSAGE_CONTEXT = 56;
export const NAME_TYPE = 64;
/** Buffers: length and pointer, 16 octets each. */
export const INPUT = 80;
export const OUTPUT = 96;
export const INPUT_2 = 112;
/** OIDs, a set of two, and their octets. */
const OIDS = 128;
export const OID_SET = 160;
export const KERBEROS_SET = 176;
const OID_OCTETS = 192;
/** A credential store of two elements and its texts. */
export const STORE = 256;
const ELEMENTS = 272;
const TEXTS = 512;
/** Two inputs: a message and what is digested with it, and a MIC. */
const DATA = 8192;
const DATA_2 = DATA + MAX_MESSAGE_LENGTH + 4096;
/** Octets that a MIC can have here. */
export const MAX_MIC = 1024;
const MEMORY_BYTES = DATA_2 + MAX_MIC;

/** One such memory: a call is over before the next begins, so all may share it. */
export class CallMemory {
  readonly #api: Gssapi;
  readonly #address: number;
  readonly #octets: Uint8Array;
  readonly #view: DataView;

  constructor(api: Gssapi) {
    const { address, buffer } = api.allocate(MEMORY_BYTES);
    this.#api = api;
    this.#address = address;
    this.#octets = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
  }

  at(offset: number): number {
    return this.#address + offset;
  }

  pointer(offset: number): number {
    return Number(this.#view.getBigUint64(offset, true));
  }

  setPointer(offset: number, value: number): void {
    this.#view.setBigUint64(offset, BigInt(value), true);
  }

  number(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  /** @throws RangeError where they are longer together than any message can be */
  putInput(parts: readonly Uint8Array[]): void {
    let at = DATA;
    for (const part of parts) {
      if (at + part.length > DATA_2) throw new RangeError("more octets than a message can have");
      this.#octets.set(part, at);
      at += part.length;
    }
    this.setPointer(INPUT, at - DATA);
    this.setPointer(INPUT + 8, this.at(DATA));
  }

  putSecondInput(octets: Uint8Array): void {
    this.#octets.set(octets, DATA_2);
    this.setPointer(INPUT_2, octets.length);
    this.setPointer(INPUT_2 + 8, this.at(DATA_2));
  }

  /** A copy of what a buffer that the library has filled refers to. */
  take(buffer: number): Uint8Array {
    const length = this.pointer(buffer);
    return length === 0 ? new Uint8Array(0) : this.#api.read(this.pointer(buffer + 8), length);
  }

  takeOutput(): Uint8Array {
    return this.take(OUTPUT);
  }

  /** The octets of an OID of the library's. */
  oid(address: number): Uint8Array {
    const descriptor = this.#api.read(address, 16);
    const view = new DataView(descriptor.buffer);
    const length = Math.min(64, view.getUint32(0, true));
    return this.#api.read(Number(view.getBigUint64(8, true)), length);
  }

  putOids(): void {
    this.#octets.set([...KERBEROS, ...SPNEGO], OID_OCTETS);
    this.#view.setUint32(OIDS, KERBEROS.length, true);
    this.setPointer(OIDS + 8, this.at(OID_OCTETS));
    this.#view.setUint32(OIDS + 16, SPNEGO.length, true);
    this.setPointer(OIDS + 24, this.at(OID_OCTETS + KERBEROS.length));
    this.setPointer(OID_SET, 2);
    this.setPointer(OID_SET + 8, this.at(OIDS));
    this.setPointer(KERBEROS_SET, 1);
    this.setPointer(KERBEROS_SET + 8, this.at(OIDS));
  }

  /** @throws RangeError where the texts are too long */
  putStore(values: Readonly<Record<string, string>>): void {
    const entries = Object.entries(values);
    this.#view.setUint32(STORE, entries.length, true);
    this.setPointer(STORE + 8, this.at(ELEMENTS));
    let at = TEXTS;
    const put = (text: string): number => {
      const octets = new TextEncoder().encode(`${text}\0`);
      if (at + octets.length > DATA) throw new RangeError(`too long for the Kerberos library: ${text}`);
      this.#octets.set(octets, at);
      at += octets.length;
      return this.at(at - octets.length);
    };
    entries.forEach(([key, value], index) => {
      this.setPointer(ELEMENTS + index * 16, put(key));
      this.setPointer(ELEMENTS + index * 16 + 8, put(value));
    });
  }
}
