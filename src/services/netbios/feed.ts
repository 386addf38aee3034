/**
 * Carries registered NetBIOS names into the zone: each address as an unsigned update from the client that registered it,
 * by the same queue and under the same rules. The workstation's name alone (suffix 00) is carried: every host has it for
 * as long as it is up. What is taken back is only what was put there by this way.
 */
import type { Peer } from "../../protocol/context.ts";
import type { Outcome } from "../../protocol/dispatch.ts";
import type { UpdateOperation } from "../../protocol/update-prescan.ts";
import type { NetbiosName } from "../../netbios/name.ts";
import { Suffix } from "../../netbios/name.ts";
import { hostName } from "../../netbios/zone-names.ts";
import { Rcode } from "../../wire/iana/code.ts";
import { RrType } from "../../wire/iana/type.ts";
import type { Name } from "../../wire/name.ts";
import { parseIpv4 } from "../../wire/rdata/address.ts";
import { rdataKey } from "../../wire/rdata/rdata.ts";
import type { ServedZone } from "../zones.ts";

/** What a host can be called: NetBIOS allows nearly any octet, and a dot within a label leads people astray. */
const HOST_LABEL = /^[a-z0-9][a-z0-9_-]*$/i;
/** TTL of the records, in seconds: what Windows hosts give their own. */
const TTL = 1200;

type UpdateOutcome = Extract<Outcome, { kind: "update" }>;

export interface FeedDeps {
  /** The zone served here that holds a name. */
  readonly zoneOf: (name: Name) => ServedZone | undefined;
  readonly update: (outcome: UpdateOutcome, peer: Peer) => Promise<Uint8Array>;
}

/** One address of a name, and the client that registered it. */
export interface FedAddress {
  readonly name: NetbiosName;
  readonly group: boolean;
  readonly address: string;
  readonly source: string;
}

export class NetbiosFeed {
  /** Below what the names are put. */
  readonly #suffix: Name;
  readonly #deps: FeedDeps;
  /** What is in the zone by this way, as owner and address. */
  readonly #fed = new Set<string>();
  /** What is under way for an owner and address: the next waits for it, so that a release cannot overtake its name. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(suffix: Name, deps: FeedDeps) {
    this.#suffix = suffix;
    this.#deps = deps;
  }

  /** Puts an address into the zone; where it is there already, the update tells that it still holds. */
  add(fed: FedAddress): Promise<void> {
    return this.#inTurn(fed, (owner) => this.#add(owner, fed));
  }

  /** Takes an address out of the zone again, where it was put there by {@link add}. */
  remove(fed: FedAddress): Promise<void> {
    return this.#inTurn(fed, (owner) => this.#remove(owner, fed));
  }

  async #inTurn(fed: FedAddress, work: (owner: Name) => Promise<void>): Promise<void> {
    const owner = this.#ownerOf(fed);
    if (owner === undefined) return;
    const key = mark(owner, fed.address);
    const done = (this.#underWay.get(key) ?? Promise.resolve()).then(() => work(owner));
    const settled = done.catch(() => undefined);
    this.#underWay.set(key, settled);
    void settled.then(() => {
      if (this.#underWay.get(key) === settled) this.#underWay.delete(key);
    });
    await done;
  }

  async #add(owner: Name, fed: FedAddress): Promise<void> {
    const zone = this.#deps.zoneOf(owner);
    if (zone === undefined) return;
    const rdata = parseIpv4(fed.address)!;
    const key = rdataKey(RrType.A, rdata);
    const there = zone.view.rrset(owner, RrType.A)?.rdatas.some((each) => rdataKey(RrType.A, each) === key);
    const add: UpdateOperation = { kind: "add", name: owner, type: RrType.A, ttl: TTL, rdata, key };
    const rcode = await this.#update(zone, fed, add);
    if (rcode === Rcode.NOERROR && there !== true) this.#fed.add(mark(owner, fed.address));
  }

  async #remove(owner: Name, fed: FedAddress): Promise<void> {
    const zone = this.#deps.zoneOf(owner);
    if (zone === undefined || !this.#fed.has(mark(owner, fed.address))) return;
    const rdata = parseIpv4(fed.address)!;
    const key = rdataKey(RrType.A, rdata);
    const remove: UpdateOperation = { kind: "delete-record", name: owner, type: RrType.A, rdata, key };
    const rcode = await this.#update(zone, fed, remove);
    if (rcode === Rcode.NOERROR) this.#fed.delete(mark(owner, fed.address));
  }

  #ownerOf({ name, group }: FedAddress): Name | undefined {
    if (group || name.suffix !== Suffix.WORKSTATION || !HOST_LABEL.test(name.label)) return undefined;
    return hostName(name, this.#suffix);
  }

  async #update(zone: ServedZone, { source }: FedAddress, operation: UpdateOperation): Promise<number> {
    let rcode: number = Rcode.SERVFAIL;
    const peer: Peer = { address: source, port: 137, transport: "udp" };
    await this.#deps.update(
      {
        kind: "update",
        request: {
          zone: zone.apex,
          prerequisites: [],
          expected: [],
          prerequisiteFault: undefined,
          operations: [operation],
          updateFault: undefined,
        },
        zone,
        requester: { address: source, transport: "udp" },
        reply: (outcome) => {
          ({ rcode } = outcome);
          return new Uint8Array(0);
        },
      },
      peer,
    );
    return rcode;
  }
}

function mark(owner: Name, address: string): string {
  return `${owner.key} ${address}`;
}
