/**
 * Hosts that register themselves all the time, and remember what was acknowledged: the load of the crash test.
 *
 * A slot is one name, or two that are always changed together. It has one update outstanding at most, so that after a
 * crash there are two states it may be in: the last one acknowledged, or that with the outstanding update done whole.
 */
import { RrClass } from "../../src/wire/iana/class.ts";
import { Rcode, rcodeToText } from "../../src/wire/iana/code.ts";
import { RrType } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import { record } from "../../src/wire/record.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import { recordsToLines } from "./model.ts";
import type { Random } from "./mutate.ts";
import { deleteName, deleteRrset } from "./update-client.ts";
import type { UpdateClient } from "./update-client.ts";

const TTL = 300;
/** Addresses that one name collects at most. */
const MAX_ADDRESSES = 5;

interface Slot {
  readonly owners: readonly Name[];
  /** As acknowledged. */
  records: readonly ResourceRecord[];
  /** What it becomes where the outstanding update is done. */
  pending: readonly ResourceRecord[] | undefined;
}

/** An update and what the slot holds once it is done. */
interface Plan {
  readonly updates: readonly ResourceRecord[];
  readonly prerequisites?: readonly ResourceRecord[];
  readonly after: readonly ResourceRecord[];
}

export class Registrars {
  /** Updates that were acknowledged. */
  acknowledged = 0;
  /** Updates that a crash left without an answer, and those among them that had been committed. */
  unanswered = 0;
  committedUnanswered = 0;
  readonly #random: Random;
  readonly #slots: Slot[] = [];
  #values = 0;

  /** @param singles slots of one name; @param pairs slots of two */
  constructor(random: Random, apex: Name, singles: number, pairs: number) {
    this.#random = random;
    const slot = (...owners: string[]): Slot => ({
      owners: owners.map((owner) => Name.parse(owner, apex)),
      records: [],
      pending: undefined,
    });
    for (let i = 0; i < singles; i++) this.#slots.push(slot(`host${i}`));
    for (let i = 0; i < pairs; i++) this.#slots.push(slot(`node${i}-a`, `node${i}-b`));
  }

  /**
   * Sends updates, so many at a time, until the client is closed; resolves then.
   * @throws (rejects) where an update is answered with anything but NOERROR
   */
  async stream(client: UpdateClient, outstanding: number): Promise<void> {
    const lanes: Promise<void>[] = [];
    for (let i = 0; i < outstanding; i++) lanes.push(this.#lane(client));
    await Promise.all(lanes);
  }

  async #lane(client: UpdateClient): Promise<void> {
    for (;;) {
      const slot = this.#freeSlot();
      const { updates, prerequisites, after } = this.#plan(slot);
      slot.pending = after;
      const rcode = await client.send(updates, prerequisites);
      if (rcode === undefined) return;
      if (rcode !== Rcode.NOERROR) {
        throw new Error(`an update of ${slot.owners.join(", ")} was answered with ${rcodeToText(rcode)}`);
      }
      slot.records = after;
      slot.pending = undefined;
      this.acknowledged++;
    }
  }

  /**
   * Compares what the zone holds after a crash with what it may hold, and goes on from there.
   * @returns a line for each slot that is in neither of its states
   */
  recover(zone: Iterable<ResourceRecord>): string[] {
    const byOwner = Map.groupBy(zone, (rr) => rr.name.key);
    const faults: string[] = [];
    for (const slot of this.#slots) {
      const found = slot.owners.flatMap((owner) => byOwner.get(owner.key) ?? []);
      const seen = textOf(found);
      const wanted = textOf(slot.records);
      const alternative = slot.pending === undefined ? wanted : textOf(slot.pending);
      if (slot.pending !== undefined) {
        this.unanswered++;
        if (seen === alternative) this.committedUnanswered++;
      }
      if (seen !== wanted && seen !== alternative) {
        const outstanding = slot.pending === undefined ? "" : ` (or, once answered, {${alternative}})`;
        faults.push(`${slot.owners.join(", ")}: acknowledged {${wanted}}${outstanding}, found {${seen}}`);
      }
      slot.records = found;
      slot.pending = undefined;
    }
    return faults;
  }

  #freeSlot(): Slot {
    const start = this.#random.below(this.#slots.length);
    for (let i = 0; i < this.#slots.length; i++) {
      const slot = this.#slots[(start + i) % this.#slots.length]!;
      if (slot.pending === undefined) return slot;
    }
    throw new Error("more updates outstanding than there are slots");
  }

  #plan(slot: Slot): Plan {
    const plan = slot.owners.length === 1 ? this.#planSingle(slot) : this.#planPair(slot);
    if (this.#random.below(4) > 0) return plan;
    // Also as a compare-and-swap (RFC 2136 §2.4.2): the server's view must be what was acknowledged.
    const prerequisites =
      slot.records.length > 0
        ? slot.records.map((rr) => ({ ...rr, ttl: 0 }))
        : slot.owners.map((owner) => ({ ...deleteName(owner), class: RrClass.NONE }));
    return { ...plan, prerequisites };
  }

  #planSingle({ owners: [owner], records }: Slot): Plan {
    const addresses = records.filter((rr) => rr.type === RrType.A);
    const others = records.filter((rr) => rr.type !== RrType.A);
    switch (this.#random.below(6)) {
      case 0:
        if (records.length > 0) return { updates: [deleteName(owner!)], after: [] };
        break;
      case 1:
        if (addresses.length > 0) {
          const gone = this.#random.pick(addresses);
          const update = { ...gone, ttl: 0, class: RrClass.NONE };
          return { updates: [update], after: records.filter((rr) => rr !== gone) };
        }
        break;
      case 2: {
        const text = this.#text(owner!);
        return { updates: [deleteRrset(owner!, RrType.TXT), text], after: [...addresses, text] };
      }
      case 3:
        if (addresses.length < MAX_ADDRESSES) {
          const address = this.#address(owner!);
          return { updates: [address], after: [...records, address] };
        }
        break;
      default:
    }
    const address = this.#address(owner!);
    return { updates: [deleteRrset(owner!, RrType.A), address], after: [...others, address] };
  }

  /** Both names get the same value, or an address moves from one to the other. */
  #planPair({ owners: [left, right], records }: Slot): Plan {
    const texts = records.filter((rr) => rr.type === RrType.TXT);
    if (this.#random.below(2) === 0) {
      const text = this.#text(left!);
      const both = [text, { ...text, name: right! }];
      const updates = [deleteRrset(left!, RrType.TXT), deleteRrset(right!, RrType.TXT), ...both];
      return { updates, after: [...records.filter((rr) => rr.type !== RrType.TXT), ...both] };
    }
    const holder = records.find((rr) => rr.type === RrType.A)?.name;
    const [from, to] = holder?.equals(left!) === true ? [left!, right!] : [right!, left!];
    const address = this.#address(to);
    return { updates: [deleteRrset(from, RrType.A), address], after: [...texts, address] };
  }

  #address(owner: Name): ResourceRecord {
    const value = ++this.#values;
    return record(owner, RrType.A, TTL, Uint8Array.of(10, value >> 16, value >> 8, value));
  }

  #text(owner: Name): ResourceRecord {
    const text = `value ${++this.#values}`;
    return record(owner, RrType.TXT, TTL, Uint8Array.of(text.length, ...Buffer.from(text)));
  }
}

function textOf(records: readonly ResourceRecord[]): string {
  return recordsToLines(records).join("; ");
}
