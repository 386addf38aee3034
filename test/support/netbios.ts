/** Packets of the NetBIOS name service, built by hand: independent of the code they test. */

/** A name on the wire, in hexadecimal digits: two letters an octet (RFC 1001 §14.1). */
export function encodedName(label: string, suffix: number, scope = ""): string {
  const octets = [...Buffer.from(label.padEnd(15), "latin1"), suffix];
  const letters = octets.flatMap((octet) => [0x41 + (octet >> 4), 0x41 + (octet & 0xf)]);
  const labels = scope === "" ? [] : scope.split(".");
  const scopeOctets = labels.flatMap((each) => [each.length, ...Buffer.from(each)]);
  return hex(Uint8Array.of(letters.length, ...letters, ...scopeOctets, 0));
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** @param text hexadecimal digits, spaces between them as one likes */
export function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
}

export interface RequestOptions {
  readonly id?: string;
  /** The header's flags word, in hexadecimal digits. */
  readonly flags?: string;
  readonly suffix?: number;
  readonly scope?: string;
}

/** NAME QUERY REQUEST (RFC 1002 §4.2.12). */
export function query(label: string, options: RequestOptions & { readonly type?: string } = {}): Uint8Array {
  const { id = "1234", flags = "0100", suffix = 0x20, type = "0020", scope = "" } = options;
  return bytes(`${id} ${flags} 0001 0000 0000 0000 ${encodedName(label, suffix, scope)} ${type} 0001`);
}

/**
 * NAME REGISTRATION REQUEST and what has its form (RFC 1002 §4.2.2, §4.2.4, §4.2.9); flags 2900 registers, 7900 does so
 * for a host with several addresses, 4000 and 4800 refresh, 3000 releases.
 */
export function registration(
  label: string,
  address: string,
  options: RequestOptions & { readonly ttl?: number; readonly nbFlags?: string } = {},
): Uint8Array {
  const { id = "1234", flags = "2900", suffix = 0x20, ttl = 300_000, nbFlags = "6000", scope = "" } = options;
  const octets = address.split(".").map((octet) => Number(octet).toString(16).padStart(2, "0"));
  const name = encodedName(label, suffix, scope);
  const record = `c00c 0020 0001 ${ttl.toString(16).padStart(8, "0")} 0006 ${nbFlags} ${octets.join("")}`;
  return bytes(`${id} ${flags} 0001 0000 0000 0001 ${name} 0020 0001 ${record}`);
}

/** A reply taken apart, for tables: flags word, TTL and addresses with their NB_FLAGS. */
export interface ReplyText {
  readonly flags: string;
  readonly ttl: number;
  readonly addresses: readonly string[];
}

/** @throws where it is no reply of the form that all have: no question, one record, the name of the request */
export function replyText(reply: Uint8Array): ReplyText {
  const data = Buffer.from(reply);
  const counts = [4, 6, 8, 10].map((at) => data.readUInt16BE(at));
  if (counts.join() !== "0,1,0,0") throw new Error(`sections of ${counts.join()} records`);
  let at = 12;
  while (data[at] !== 0) at += data[at]! + 1;
  const length = data.readUInt16BE(at + 9);
  if (at + 11 + length !== data.length) throw new Error(`${hex(reply)}: not one record to the end`);
  const addresses: string[] = [];
  for (let entry = at + 11; entry + 6 <= data.length; entry += 6) {
    addresses.push(
      `${data.toString("hex", entry, entry + 2)} ${[...data.subarray(entry + 2, entry + 6)].join(".")}`,
    );
  }
  return { flags: data.toString("hex", 2, 4), ttl: data.readUInt32BE(at + 5), addresses };
}
