/** Kea's DHCP-DDNS server (D2), and the requests that a DHCP server sends to it when it gives and takes leases. */
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Name } from "../../src/wire/name.ts";
import { freePort } from "./free-port.ts";
import { Daemon, findProgram } from "./process.ts";
import { unconfined, writeIn } from "./secondary.ts";
import type { KeyText } from "./secondary.ts";

/** What stands in a DHCID record: who has the name, as a digest that only that client's server can make again. */
export interface Dhcid {
  readonly hex: string;
  readonly base64: string;
}

/**
 * The DHCID of a client for a name (RFC 4701 §3.3 to §3.5).
 * @param identifier of the client: option 61 as it stands in its packets, without code and length
 */
export function dhcidOf(identifier: Uint8Array, fqdn: string): Dhcid {
  const name = Name.parse(fqdn.toLowerCase()).wire;
  const digest = createHash("sha256").update(identifier).update(name).digest();
  const bytes = Buffer.concat([Buffer.from([0, 1, 1]), digest]);
  return { hex: bytes.toString("hex").toUpperCase(), base64: bytes.toString("base64") };
}

/** A lease that is to be put into the DNS, or taken out. */
export interface Lease {
  /** With final dot. */
  readonly fqdn: string;
  readonly address: string;
  readonly dhcid: Dhcid;
}

export interface DdnsZone {
  /** With final dot. */
  readonly name: string;
  /** Whether addresses are put there, or what they are called. */
  readonly direction: "forward" | "reverse";
}

/** What came of a request. */
export interface Outcome {
  readonly succeeded: boolean;
  /** Each update that was sent, in Kea's words, and its answer: `Forward Add: YXDOMAIN`. */
  readonly exchanges: readonly string[];
}

/** The last line of a request in D2's log. */
const DONE = /DHCP_DDNS_(ADD|REMOVE)_(SUCCEEDED|FAILED) .*Type: \d/;
const SENT = /DHCP_DDNS_UPDATE_REQUEST_SENT Request ID \w+: (.+) to server/;
const ANSWERED = /DHCP_DDNS_UPDATE_RESPONSE_RECEIVED .* rcode: (\w+)/;

export class KeaDdns {
  readonly #directory: string;
  readonly #port: number;
  #daemon: Daemon | undefined;
  #requests = 0;

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.#port = port;
  }

  /** @param port of the DNS server on 127.0.0.1 */
  static async start(port: number, key: KeyText, zones: readonly DdnsZone[]): Promise<KeaDdns> {
    const kea = new KeaDdns(mkdtempSync(join(tmpdir(), "rollcall-kea-")), await freePort());
    try {
      await kea.#up(port, key, zones);
    } catch (error) {
      await kea.remove();
      throw error;
    }
    return kea;
  }

  async #up(port: number, key: KeyText, zones: readonly DdnsZone[]): Promise<void> {
    const directory = this.#directory;
    const domains = (direction: DdnsZone["direction"]): object => ({
      "ddns-domains": zones
        .filter((zone) => zone.direction === direction)
        .map(({ name }) => ({
          name,
          "key-name": key.name,
          "dns-servers": [{ "ip-address": "127.0.0.1", port }],
        })),
    });
    const config = {
      DhcpDdns: {
        "ip-address": "127.0.0.1",
        port: this.#port,
        "dns-server-timeout": 5000,
        "tsig-keys": [{ name: key.name, algorithm: key.algorithm.toUpperCase(), secret: key.secret }],
        "forward-ddns": domains("forward"),
        "reverse-ddns": domains("reverse"),
        loggers: [
          {
            name: "kea-dhcp-ddns",
            severity: "DEBUG",
            debuglevel: 50,
            output_options: [{ output: "stdout", pattern: "%-5p %m\n", flush: true }],
          },
        ],
      },
    };
    const path = unconfined(findProgram("kea-dhcp-ddns")!, directory);
    const args = ["-c", writeIn(directory, "kea-dhcp-ddns.conf", JSON.stringify(config))];
    const env = { ...process.env, KEA_PIDFILE_DIR: directory, KEA_LOCKFILE_DIR: directory };
    this.#daemon = new Daemon("kea-dhcp-ddns", path, args, { cwd: directory, env });
    await this.#daemon.line((line) => line.includes("DHCP_DDNS_QUEUE_MGR_STARTED"));
  }

  /**
   * Sends what a DHCP server sends, a NameChangeRequest in JSON behind its length, and waits until it is dealt with.
   * @param detectConflicts whether names of other clients are to be left alone (RFC 4703)
   */
  async request(change: "add" | "remove", lease: Lease, detectConflicts = true): Promise<Outcome> {
    const text = Buffer.from(
      JSON.stringify({
        "change-type": change === "add" ? 0 : 1,
        "forward-change": true,
        "reverse-change": true,
        fqdn: lease.fqdn,
        "ip-address": lease.address,
        dhcid: lease.dhcid.hex,
        "lease-expires-on": "20380101000000",
        "lease-length": 3600,
        "use-conflict-resolution": detectConflicts,
      }),
    );
    const length = Buffer.alloc(2);
    length.writeUInt16BE(text.length);
    // The same lease may come again: which end is meant is told by how many came before.
    const nth = ++this.#requests;
    let seen = 0;
    const socket = createSocket("udp4");
    socket.send(Buffer.concat([length, text]), this.#port, "127.0.0.1");
    try {
      await this.#daemon!.line((line) => DONE.test(line) && ++seen === nth);
    } finally {
      socket.close();
    }
    return this.#outcome(nth);
  }

  /** Reads the log's lines of the nth request. */
  #outcome(nth: number): Outcome {
    const lines = this.#daemon!.output.split("\n");
    const ends = lines.flatMap((line, at) => (DONE.test(line) ? [at] : []));
    const exchanges: string[] = [];
    for (const line of lines.slice(ends[nth - 2] ?? 0, ends[nth - 1])) {
      const sent = SENT.exec(line);
      const answered = ANSWERED.exec(line);
      if (sent !== null) exchanges.push(sent[1]!);
      if (answered !== null) exchanges.push(`${exchanges.pop()}: ${answered[1]}`);
    }
    return { succeeded: lines[ends[nth - 1]!]!.includes("_SUCCEEDED"), exchanges };
  }

  async remove(): Promise<void> {
    await this.#daemon?.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
