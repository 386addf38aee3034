/** A client of zone transfers (RFC 5936) over TCP: fetches a whole zone, or looks on while one is on its way. */
import { createConnection } from "node:net";
import type { Socket } from "node:net";
import { RrClass } from "../../src/wire/iana/class.ts";
import { Rcode, rcodeToText } from "../../src/wire/iana/code.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage } from "../../src/wire/message.ts";
import type { Name } from "../../src/wire/name.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";

/** Milliseconds without an octet after which a transfer is given up. */
const IDLE_LIMIT = 20_000;

/** Opens a connection to this port of 127.0.0.1 and asks for the zone. */
export async function requestTransfer(port: number, zone: Name): Promise<Socket> {
  const socket = createConnection(port, "127.0.0.1");
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  const query = encodeMessage({
    id: 0x4158,
    flags: 0,
    rcode: 0,
    questions: [{ name: zone, type: RrType.AXFR, class: RrClass.IN }],
  });
  socket.write(Uint8Array.of(query.length >> 8, query.length));
  socket.write(query);
  return socket;
}

/**
 * Fetches a zone by AXFR, unsigned.
 * @returns its records, the SOA first and only once
 * @throws where the server refuses or the stream ends early
 */
export async function fetchZone(port: number, zone: Name): Promise<ResourceRecord[]> {
  const socket = await requestTransfer(port, zone);
  socket.setTimeout(IDLE_LIMIT, () => socket.destroy(new Error("the transfer stands still")));
  const records: ResourceRecord[] = [];
  try {
    let waiting = Buffer.alloc(0);
    for await (const chunk of socket) {
      waiting = Buffer.concat([waiting, chunk as Buffer]);
      let at = 0;
      while (waiting.length >= at + 2) {
        const end = at + 2 + waiting.readUInt16BE(at);
        if (waiting.length < end) break;
        const { header, answers } = decodeMessage(waiting.subarray(at + 2, end));
        if (header.rcode !== Rcode.NOERROR)
          throw new Error(`AXFR answered with ${rcodeToText(header.rcode)}`);
        for (const rr of answers) {
          // RFC 5936 §2.2: the SOA comes again at the end
          if (records.length > 0 && rr.type === RrType.SOA) return records;
          records.push(rr);
        }
        at = end;
      }
      waiting = waiting.subarray(at);
    }
  } finally {
    socket.destroy();
  }
  throw new Error(`the transfer ended after ${records.length} records without its last SOA`);
}
