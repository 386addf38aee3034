/** PLACEHOLDER SIGNATURES: implemented next. The doors of RDATA. */
import type { Name } from "../name.ts";
import type { WireReader } from "../reader.ts";
import type { WireWriter } from "../writer.ts";
import type { FieldSource } from "./text.ts";

/** Reads `length` octets of RDATA at the reader, validates them for `type` and returns them with names decompressed. @throws WireError */
export declare function readRdata(type: number, reader: WireReader, length: number): Uint8Array;
/** Writes RDATA (uncompressed wire form) with the compression its type allows (RFC 3597 §4: only RFC 1035's types). */
export declare function writeRdata(type: number, rdata: Uint8Array, writer: WireWriter): void;
/** Checks uncompressed RDATA for its type. @throws WireError `WIRE_RDATA` */
export declare function checkRdata(type: number, rdata: Uint8Array): void;
/** Equal for RDATA that RFC 2136 §1.1.1 / RFC 4034 §6.2 hold equal: names inside lower-cased; one character an octet. */
export declare function rdataKey(type: number, rdata: Uint8Array): string;
/** Presentation form; names relative to `origin` where one is given. */
export declare function rdataToText(type: number, rdata: Uint8Array, origin?: Name): string;
/** Parses presentation form, or `\# len hex` (RFC 3597 §5) for any type. @throws RdataSyntaxError */
export declare function rdataFromText(type: number, source: FieldSource): Uint8Array;
/** The names inside RDATA in order, e.g. an SRV's target. Empty for opaque types. */
export declare function rdataNames(type: number, rdata: Uint8Array): Name[];
