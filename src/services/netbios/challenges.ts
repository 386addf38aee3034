/**
 * Asks the owner of a NetBIOS name whether it still has it, when another host wants it (RFC 1001 §15.2.2.2). Bounded,
 * and of all responses that reach the name service these alone are looked at.
 */
import { randomInt } from "node:crypto";
import type { NetbiosName } from "../../netbios/name.ts";
import { NbOpcode, NbRcode, queryPacket, readPacket } from "../../netbios/packet.ts";
import type { NetbiosPort } from "./sockets.ts";

/** Owners that may be asked at once. */
const MAX_ASKED = 256;
/** Tries and the milliseconds between them (RFC 1002 §6: UCAST_REQ_RETRY_COUNT 3). */
const TRIES = 3;
const INTERVAL = 500;
/** Where nodes answer. */
const NETBIOS_PORT = 137;

export interface ChallengeTimes {
  /** Milliseconds between two tries. */
  readonly interval: number;
  readonly port: number;
}

interface Asked {
  readonly name: NetbiosName;
  readonly owner: string;
  readonly id: number;
  readonly resolve: (owned: string[] | undefined) => void;
  tries: number;
  timer: NodeJS.Timeout | undefined;
}

export class Challenges {
  readonly #times: ChallengeTimes;
  /** By the name's key: one challenge for a name at a time. */
  readonly #asked = new Map<string, Asked>();

  constructor(times: Partial<ChallengeTimes> = {}) {
    this.#times = { interval: INTERVAL, port: NETBIOS_PORT, ...times };
  }

  /** Whether the owner of a name is being asked, or as many are as may be: who wants it comes again. */
  isBusy(name: NetbiosName): boolean {
    return this.#asked.has(name.key) || this.#asked.size >= MAX_ASKED;
  }

  /** @returns the addresses that the owner says it has the name with; undefined where it denies or keeps silent */
  ask(name: NetbiosName, owner: string, port: NetbiosPort): Promise<string[] | undefined> {
    return new Promise((resolve) => {
      const asked: Asked = { name, owner, id: randomInt(0x10000), resolve, tries: 0, timer: undefined };
      this.#asked.set(name.key, asked);
      this.#try(asked, port);
    });
  }

  /** Takes a response, which is nothing to most of them. @returns whether it was awaited */
  take(bytes: Uint8Array, from: string): boolean {
    const packet = readPacket(bytes);
    if (packet?.name === undefined || !packet.response || packet.opcode !== NbOpcode.QUERY) return false;
    const asked = this.#asked.get(packet.name.key);
    if (asked === undefined || asked.owner !== from || asked.id !== packet.id) return false;
    const owned =
      packet.rcode === NbRcode.OK ? packet.record?.entries.map(({ address }) => address) : undefined;
    this.#settle(asked, owned);
    return true;
  }

  /** Lets everybody who waits go on. */
  close(): void {
    for (const asked of this.#asked.values()) this.#settle(asked, undefined);
  }

  #try(asked: Asked, port: NetbiosPort): void {
    if (asked.tries++ === TRIES) {
      this.#settle(asked, undefined);
      return;
    }
    port.send(queryPacket(asked.id, asked.name), asked.owner, this.#times.port);
    asked.timer = setTimeout(() => this.#try(asked, port), this.#times.interval);
  }

  #settle(asked: Asked, owned: string[] | undefined): void {
    clearTimeout(asked.timer);
    this.#asked.delete(asked.name.key);
    asked.resolve(owned);
  }
}
