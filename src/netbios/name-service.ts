/**
 * What comes of a packet of the NetBIOS name service: the decisions of a name server (RFC 1002 §5.1.4.1). Pure: a packet,
 * its sender and the time in, an outcome out; others own the sockets.
 *
 * The zones come before what was registered: a registration is nobody's proof of anything, and must not put itself in
 * front of what the zone says. Packets to everybody of a subnet are not for a name server, and a response is never
 * answered. NODE STATUS REQUESTs ask a node for the names it goes by; this server is none and has no names, so it keeps
 * silent as RFC 1002 §5.1.2.5 has it.
 */
import type { Network } from "../auth/acl.ts";
import type { NetbiosName } from "./name.ts";
import { Suffix } from "./name.ts";
import type { NbAddress, NbPacket } from "./packet.ts";
import {
  NB_GROUP,
  NB_HYBRID,
  NbOpcode,
  NbRcode,
  NbType,
  negativeAnswer,
  positiveAnswer,
  readPacket,
  registrationReply,
  releaseReply,
  waitReply,
} from "./packet.ts";
import type { Added, Lost, Registration, Registrations } from "./registrations.ts";
import type { FoundName } from "./zone-names.ts";

/** Names that lead clients to whoever has them (CVE-2009-0094): neither answered nor registered, whatever the zone has. */
const NEVER = new Set(["WPAD", "ISATAP"]);
/** The address of a group whose members are not listed: everybody. */
const EVERYBODY = "255.255.255.255";
/** Registrations are granted for this long at least where the configuration allows it, in seconds. */
const MIN_TTL = 600;
/** How long a client is asked to wait while an owner is asked, in seconds. */
const WAIT_TTL = 5;

export interface NameServiceSettings {
  /** Whose packets are answered; addresses outside them are not given to others either. */
  readonly clients: readonly Network[];
  /** Longest time that a registration is granted, in seconds. */
  readonly maxTtl: number;
}

/** What comes of a packet. `bytes` is the reply. */
export type NameOutcome =
  | { readonly kind: "silence"; readonly why: string }
  | { readonly kind: "answer"; readonly bytes: Uint8Array; readonly found: boolean }
  | {
      readonly kind: "refused";
      readonly bytes: Uint8Array;
      readonly name: NetbiosName;
      readonly rcode: number;
      readonly reason: string;
    }
  | {
      readonly kind: "registered";
      readonly bytes: Uint8Array;
      readonly name: NetbiosName;
      readonly group: boolean;
      readonly address: string;
      /** Seconds granted. */
      readonly ttl: number;
      /** Undefined where the registration is acknowledged and not kept. */
      readonly kept: "new" | "renewed" | undefined;
      /** What the owner before had, which is gone. */
      readonly lost: readonly Lost[];
    }
  | {
      readonly kind: "released";
      readonly bytes: Uint8Array;
      readonly name: NetbiosName;
      readonly address: string;
      /** What was held; undefined where it was not. */
      readonly lost: Lost | undefined;
    }
  | {
      /** Another host has the name: it is to be asked whether it still does, and the client to be told to wait. */
      readonly kind: "challenge";
      readonly bytes: Uint8Array;
      readonly name: NetbiosName;
      /** The address that wants the name. */
      readonly address: string;
      /** The address to be asked. */
      readonly owner: string;
      /** @param owned the addresses that the owner says it has the name with; undefined where it denied or kept silent */
      readonly settle: (owned: readonly string[] | undefined, now: number) => NameOutcome;
    };

/** A registration on its way. */
interface Wish {
  readonly packet: NbPacket;
  readonly name: NetbiosName;
  readonly entry: NbAddress;
  readonly group: boolean;
  readonly source: string;
  /** Seconds. */
  readonly ttl: number;
}

export class NameService {
  settings: NameServiceSettings;
  readonly #registrations: Registrations;
  readonly #inZones: (name: NetbiosName) => FoundName | undefined;
  #turn = 0;

  constructor(
    settings: NameServiceSettings,
    registrations: Registrations,
    inZones: (name: NetbiosName) => FoundName | undefined,
  ) {
    this.settings = settings;
    this.#registrations = registrations;
    this.#inZones = inZones;
  }

  /**
   * Decides on one packet.
   * @param source numeric address that it came from
   * @param now milliseconds since 1970 UTC
   */
  handle(bytes: Uint8Array, source: string, now: number): NameOutcome {
    const packet = readPacket(bytes);
    if (packet === undefined) return silence("malformed");
    if (packet.response) return silence("response");
    if (packet.broadcast) return silence("broadcast");
    if (!this.#isClient(source)) return silence("stranger");
    const { name } = packet;
    if (name === undefined) return silence("malformed");
    switch (packet.opcode) {
      case NbOpcode.QUERY:
        return packet.type === NbType.NB ? this.#query(packet, name, now) : silence("unsupported");
      case NbOpcode.REGISTRATION:
      case NbOpcode.REFRESH:
      case NbOpcode.REFRESH_ALTERNATE:
      case NbOpcode.MULTIHOMED_REGISTRATION:
        return this.#register(packet, name, source, now);
      case NbOpcode.RELEASE:
        return this.#release(packet, name, source, now);
      default:
        return silence("unsupported");
    }
  }

  #isClient(address: string): boolean {
    return this.settings.clients.some((network) => network.contains(address));
  }

  //------------ Queries ----------------------------------------------

  #query({ id }: NbPacket, name: NetbiosName, now: number): NameOutcome {
    const found = isNever(name) ? undefined : (this.#findInZones(name) ?? this.#findRegistered(name, now));
    if (found === undefined) return { kind: "answer", bytes: negativeAnswer(id, name), found: false };
    return { kind: "answer", bytes: positiveAnswer(id, name, found.ttl, found.entries), found: true };
  }

  #findInZones(name: NetbiosName): { ttl: number; entries: NbAddress[] } | undefined {
    const found = this.#inZones(name);
    if (found === undefined) return undefined;
    const flags = NB_HYBRID | (found.group ? NB_GROUP : 0);
    return { ttl: found.ttl, entries: this.#turned(found.addresses.map((address) => ({ flags, address }))) };
  }

  #findRegistered(name: NetbiosName, now: number): { ttl: number; entries: NbAddress[] } | undefined {
    const registration = this.#registrations.find(name, now);
    if (registration === undefined) return undefined;
    const held = [...registration.held];
    const ttl = Math.ceil((Math.min(...held.map(([, { expires }]) => expires)) - now) / 1000);
    if (registration.group && name.suffix !== Suffix.DOMAIN_CONTROLLERS) {
      return { ttl, entries: [{ flags: NB_GROUP | NB_HYBRID, address: EVERYBODY }] };
    }
    return { ttl, entries: this.#turned(held.map(([address, { flags }]) => ({ flags, address }))) };
  }

  /** Several addresses begin with another one each time, so that the nodes of a scale-out name share the work. */
  #turned(entries: NbAddress[]): NbAddress[] {
    if (entries.length < 2) return entries;
    const start = this.#turn++ % entries.length;
    return [...entries.slice(start), ...entries.slice(0, start)];
  }

  //------------ Registration and refresh -----------------------------

  #register(packet: NbPacket, name: NetbiosName, source: string, now: number): NameOutcome {
    const { record, type } = packet;
    const [entry] = record?.entries ?? [];
    if (record === undefined || entry === undefined || record.entries.length > 1 || type !== NbType.NB) {
      return refused(packet, name, [], NbRcode.FMT, "the registration holds no address, or more than one");
    }
    const { maxTtl } = this.settings;
    const wanted = record.ttl === 0 ? maxTtl : record.ttl; // 0: for ever
    const ttl = Math.min(maxTtl, Math.max(wanted, MIN_TTL));
    const wish = { packet, name, entry, group: (entry.flags & NB_GROUP) !== 0, source, ttl };
    if (isNever(name))
      return refuse(wish, NbRcode.RFS, "this name leads clients astray and is never registered");
    // Each subnet has its own master browser under one name: nothing a name server could know them by.
    if (name.suffix === Suffix.LOCAL_MASTER && !wish.group) return acknowledge(wish, undefined, []);
    // What is not a client's address is not given to others; a host with another network beside must not fail for it.
    if (!isUsable(entry.address) || !this.#isClient(entry.address)) return acknowledge(wish, undefined, []);

    const owner = this.#registrations.find(name, now);
    if (owner === undefined || isSameOwner(owner, wish)) return this.#keep(wish, [], now);
    if (owner.group || wish.group) {
      const what = owner.group ? "a group has this name" : "a host has this name";
      return refuse(wish, NbRcode.ACT, what);
    }
    return this.#challenge(wish, owner);
  }

  #challenge(wish: Wish, owner: Registration): NameOutcome {
    const { packet, name, entry } = wish;
    const asked = [...owner.held.keys()].at(-1)!;
    return {
      kind: "challenge",
      bytes: waitReply(packet.id, name, WAIT_TTL, packet.flags),
      name,
      address: entry.address,
      owner: asked,
      settle: (owned, now) => {
        // Released and registered by others while the owner was asked: of them nobody has been asked yet.
        const current = this.#registrations.find(name, now);
        const isOthers = [...(current?.held.keys() ?? [])].some((address) => !owner.held.has(address));
        if (current?.group === true || (isOthers && !isSameOwner(current!, wish))) {
          return refuse(wish, NbRcode.ACT, "it was registered anew while its owner was asked");
        }
        if (owned !== undefined) {
          // Where the owner has the address too, it is one host that registers its addresses one by one.
          if (owned.includes(entry.address)) return this.#keep(wish, [], now);
          return refuse(wish, NbRcode.ACT, `${asked} has this name and defends it`);
        }
        const lost = [...owner.held.keys()].flatMap(
          (address) => this.#registrations.remove(name, address) ?? [],
        );
        return this.#keep(wish, lost, now);
      },
    };
  }

  #keep(wish: Wish, lost: readonly Lost[], now: number): NameOutcome {
    const { name, entry, source, ttl } = wish;
    const added = this.#registrations.add(name, entry, source, now + ttl * 1000);
    if (added === "new" || added === "renewed") return acknowledge(wish, added, lost);
    return refuse(wish, added === "inAll" ? NbRcode.SRV : NbRcode.RFS, LIMIT_TEXT[added]);
  }

  //------------ Release ----------------------------------------------

  #release(packet: NbPacket, name: NetbiosName, source: string, now: number): NameOutcome {
    const { id, record } = packet;
    const entries = record?.entries ?? [];
    const [entry] = entries;
    if (entry === undefined || entries.length > 1) {
      const bytes = releaseReply(id, name, [], NbRcode.FMT);
      return { kind: "refused", bytes, name, rcode: NbRcode.FMT, reason: "the release holds no address" };
    }
    const held = this.#registrations.find(name, now)?.held.get(entry.address);
    if (held !== undefined && held.source !== source && entry.address !== source) {
      const bytes = releaseReply(id, name, entries, NbRcode.ACT);
      const reason = `${held.source} registered this address, and it alone can release it`;
      return { kind: "refused", bytes, name, rcode: NbRcode.ACT, reason };
    }
    // A name that is not held is released well: the client wants nothing else.
    const bytes = releaseReply(id, name, entries, NbRcode.OK);
    const lost = held && this.#registrations.remove(name, entry.address);
    return { kind: "released", bytes, name, address: entry.address, lost };
  }
}

const LIMIT_TEXT: Readonly<Record<Exclude<Added, "new" | "renewed">, string>> = {
  inAll: "as many names are registered as `registrations` allows",
  perClient: "this client has as many names registered as `registrations_per_client` allows",
  perName: "the name has as many addresses as one may have",
};

function isNever({ label }: NetbiosName): boolean {
  return NEVER.has(label.toUpperCase());
}

/** Whether an address can be a host's. */
function isUsable(address: string): boolean {
  const first = Number(address.slice(0, address.indexOf(".")));
  return first > 0 && first < 224;
}

/** Whether whoever registers may join those that hold the name: a member of a group, or the same host. */
function isSameOwner(owner: Registration, { group, entry, source }: Wish): boolean {
  if (owner.group || group) return owner.group && group;
  // An address that somebody else claims for the owner is the owner's to confirm.
  if (owner.held.has(entry.address) && entry.address === source) return true;
  return [...owner.held.values()].some((held) => held.source === source);
}

function acknowledge(
  { packet, name, group, entry, ttl }: Wish,
  kept: "new" | "renewed" | undefined,
  lost: readonly Lost[],
): NameOutcome {
  const bytes = registrationReply(packet.id, name, ttl, [entry], NbRcode.OK);
  return { kind: "registered", bytes, name, group, address: entry.address, ttl, kept, lost };
}

function refuse({ packet, name, entry }: Wish, rcode: number, reason: string): NameOutcome {
  return refused(packet, name, [entry], rcode, reason);
}

function refused(
  { id }: NbPacket,
  name: NetbiosName,
  entries: readonly NbAddress[],
  rcode: number,
  reason: string,
): NameOutcome {
  return { kind: "refused", bytes: registrationReply(id, name, 0, entries, rcode), name, rcode, reason };
}

function silence(why: string): NameOutcome {
  return { kind: "silence", why };
}
