/** {@link OwnerStore} on SQLite: the `name_owner` table. */
import type { Database, Statement } from "better-sqlite3";
import { Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";
import type { Actor, ChangeOrigin } from "../zone/changeset.ts";
import { ownerKey, ownerWire } from "../zone/owner-key.ts";
import type { NameOwner, OwnerStore } from "../zone/registration.ts";
import type { Catalogue } from "./catalogue.ts";
import { guarded } from "./error.ts";
import { plain } from "./rr-blob.ts";

type Columns = [kind: Actor["kind"], name: string, since: number];

export class Owners implements OwnerStore {
  readonly #catalogue: Catalogue;
  /** Zones where some name may have an owner: in all others a commit need not look. */
  readonly #zones: Set<number>;
  readonly #of: Statement<[number, Uint8Array], Columns>;
  readonly #list: Statement<[number, Uint8Array | number, number], [Uint8Array, ...Columns]>;
  readonly #put: Statement<[number, Uint8Array, string, string, number]>;
  readonly #delete: Statement<[number, Uint8Array]>;
  readonly #release: Statement<[number, Uint8Array, number, Uint8Array]>;
  readonly #inUse: Statement<[number, Uint8Array], number>;
  readonly #clear: Statement<[number]>;

  constructor(db: Database, catalogue: Catalogue) {
    this.#catalogue = catalogue;
    this.#zones = new Set(
      db
        .prepare<[], number>("SELECT id FROM zone WHERE EXISTS (SELECT 1 FROM name_owner WHERE zone = id)")
        .pluck()
        .all(),
    );
    this.#of = db
      .prepare<[number, Uint8Array], Columns>(
        "SELECT actor_kind, actor_name, since FROM name_owner WHERE zone = ? AND name = ?",
      )
      .raw();
    this.#list = db
      .prepare<[number, Uint8Array | number, number], [Uint8Array, ...Columns]>(
        `SELECT name, actor_kind, actor_name, since FROM name_owner WHERE zone = ? AND name > ?
         ORDER BY name LIMIT ?`,
      )
      .raw();
    this.#put = db.prepare(
      `INSERT INTO name_owner (zone, name, actor_kind, actor_name, since) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET actor_kind = excluded.actor_kind, actor_name = excluded.actor_name,
                                   since = excluded.since`,
    );
    this.#delete = db.prepare("DELETE FROM name_owner WHERE zone = ? AND name = ?");
    this.#release = db.prepare(
      `DELETE FROM name_owner WHERE zone = ? AND name = ?
         AND NOT EXISTS (SELECT 1 FROM record WHERE zone = ? AND owner = ?)`,
    );
    this.#inUse = db
      .prepare<[number, Uint8Array], number>("SELECT 1 FROM record WHERE zone = ? AND owner = ? LIMIT 1")
      .pluck();
    this.#clear = db.prepare("DELETE FROM name_owner WHERE zone = ?");
  }

  of(apex: Name, name: Name): NameOwner | undefined {
    return guarded(`looking up the owner of ${name.toString()}`, () => {
      const { id } = this.#catalogue.get(apex);
      if (!this.#zones.has(id)) return undefined;
      const row = this.#of.get(id, ownerKey(name, apex));
      return row === undefined ? undefined : ownerOf(row);
    });
  }

  list(apex: Name, limit: number, after?: Name): { name: Name; owner: NameOwner }[] {
    return guarded(`listing the owners of ${apex.toString()}`, () => {
      // To SQLite any number is less than any BLOB, that of the apex, which is empty, too.
      const from = after === undefined ? 0 : ownerKey(after, apex);
      return this.#list.all(this.#catalogue.get(apex).id, from, limit).map(([key, ...columns]) => ({
        name: Name.fromTrustedWire(ownerWire(plain(key), apex)),
        owner: ownerOf(columns),
      }));
    });
  }

  give(apex: Name, name: Name, owner: NameOwner | undefined): boolean {
    return guarded(`changing the owner of ${name.toString()}`, () => {
      const { id } = this.#catalogue.get(apex);
      const key = ownerKey(name, apex);
      if (this.#inUse.get(id, key) === undefined) return false;
      if (owner === undefined) this.#delete.run(id, key);
      else this.#write(id, key, owner);
      return true;
    });
  }

  /** Writes who owns names from a change on, within its transaction. */
  claim(zone: number, apex: Name, names: readonly Name[], { actor, at }: ChangeOrigin): void {
    for (const name of names) {
      this.#write(zone, ownerKey(name, apex), { kind: actor.kind, name: actor.name, since: at });
    }
  }

  /** Takes the owner from those names of removed records that have none any more, within a transaction. */
  release(zone: number, apex: Name, records: readonly ResourceRecord[]): void {
    if (!this.#zones.has(zone)) return;
    let before: Name | undefined;
    for (const { name } of records) {
      if (before?.equals(name) === true) continue;
      before = name;
      const key = ownerKey(name, apex);
      this.#release.run(zone, key, zone, key);
    }
  }

  /** Removes those of a zone that is dropped, within that transaction. */
  clear(zone: number): void {
    this.#clear.run(zone);
  }

  #write(zone: number, key: Uint8Array, { kind, name, since }: NameOwner): void {
    this.#zones.add(zone);
    this.#put.run(zone, key, kind, name, Math.trunc(since));
  }
}

function ownerOf([kind, name, since]: Columns): NameOwner {
  return { kind, name, since };
}
