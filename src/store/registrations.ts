/** {@link RegistrationStore} on SQLite: the columns of the `record` table that say since when and how long a record lives. */
import type { Database, Statement } from "better-sqlite3";
import { RrClass } from "../wire/iana/class.ts";
import { Name } from "../wire/name.ts";
import type { ResourceRecord } from "../wire/record.ts";
import { ownerKey, ownerWire } from "../zone/owner-key.ts";
import type {
  AgeingState,
  Refresh,
  RegisteredRecord,
  Registration,
  RegistrationStore,
} from "../zone/registration.ts";
import type { Catalogue } from "./catalogue.ts";
import { guarded } from "./error.ts";
import { plain } from "./rr-blob.ts";
import { withoutSync } from "./without-sync.ts";

/** Rows that one piece of a search looks at: a millisecond, or some where all are found. */
const PIECE_ROWS = 1024;

/** Seconds by which a refresh is in the future when the clock must have been wrong: far more than one waits to be written. */
const FUTURE = 3_600;

type Times = [refreshed: number, lease: number | null];
type Row = [
  owner: Uint8Array,
  type: number,
  rdata: Uint8Array,
  ttl: number,
  ownerWritten: Uint8Array | null,
  ...Times,
];

const ROW = "owner, type, rdata, ttl, owner_written, refreshed, lease";
/** Before the first owner behind the apex, whose key is empty. */
const APEX_KEY = new Uint8Array(0);

export class Registrations implements RegistrationStore {
  readonly #db: Database;
  readonly #catalogue: Catalogue;
  readonly #of: Statement<[number, Uint8Array, number, Uint8Array], Times>;
  readonly #static: Statement<[number, Uint8Array], number>;
  readonly #refresh: Statement<
    [number, number | null, number, Uint8Array, number, Uint8Array, number, number, number | null, number]
  >;
  readonly #pieceEnd: Statement<[number, Uint8Array, number], Uint8Array>;
  readonly #piece: Statement<[number, Uint8Array, Uint8Array, number, number], Row>;
  readonly #lastPiece: Statement<[number, Uint8Array, number, number], Row>;
  readonly #leases: Statement<[number, number, number], Row>;
  readonly #firstLease: Statement<[number], number | null>;
  readonly #state: Statement<[number], [notBefore: number, seen: number]>;
  readonly #keepState: Statement<[number, number, number]>;
  readonly #forget: Statement<[number]>;

  constructor(db: Database, catalogue: Catalogue) {
    this.#db = db;
    this.#catalogue = catalogue;
    const one = "zone = ? AND owner = ? AND type = ? AND rdata = ?";
    this.#of = db
      .prepare<[number, Uint8Array, number, Uint8Array], Times>(
        `SELECT refreshed, lease FROM record WHERE ${one} AND refreshed IS NOT NULL`,
      )
      .raw();
    this.#static = db
      .prepare<[number, Uint8Array], number>(
        "SELECT 1 FROM record WHERE zone = ? AND owner = ? AND refreshed IS NULL LIMIT 1",
      )
      .pluck();
    this.#refresh = db.prepare(
      `UPDATE record SET refreshed = ?, lease = ? WHERE ${one}
         AND (refreshed <= ? AND (refreshed <= ? OR lease IS NOT ?) OR refreshed > ?)`,
    );
    this.#pieceEnd = db
      .prepare<[number, Uint8Array, number], Uint8Array>(
        "SELECT owner FROM record WHERE zone = ? AND owner > ? ORDER BY owner LIMIT 1 OFFSET ?",
      )
      .pluck();
    const piece = (bounds: string): string =>
      `SELECT ${ROW} FROM record
        WHERE zone = ? AND ${bounds} AND (refreshed < ? AND lease IS NULL OR refreshed + lease < ?)
        ORDER BY owner, type, rdata`;
    this.#piece = db
      .prepare<[number, Uint8Array, Uint8Array, number, number], Row>(piece("owner > ? AND owner <= ?"))
      .raw();
    this.#lastPiece = db.prepare<[number, Uint8Array, number, number], Row>(piece("owner > ?")).raw();
    const leased = "FROM record INDEXED BY record_by_lease_end WHERE zone = ? AND lease IS NOT NULL";
    this.#leases = db
      .prepare<[number, number, number], Row>(
        `SELECT ${ROW} ${leased} AND refreshed + lease <= ? ORDER BY refreshed + lease LIMIT ?`,
      )
      .raw();
    this.#firstLease = db
      .prepare<[number], number | null>(
        `SELECT refreshed + lease ${leased} ORDER BY refreshed + lease LIMIT 1`,
      )
      .pluck();
    this.#state = db
      .prepare<[number], [number, number]>("SELECT not_before, seen FROM ageing WHERE zone = ?")
      .raw();
    this.#keepState = db.prepare(
      `INSERT INTO ageing (zone, not_before, seen) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET not_before = excluded.not_before, seen = excluded.seen`,
    );
    this.#forget = db.prepare("DELETE FROM ageing WHERE zone = ?");
  }

  of(apex: Name, { name, type, rdata }: Pick<ResourceRecord, "name" | "type" | "rdata">) {
    return this.#run(apex, (zone) => this.ofRow(zone, ownerKey(name, apex), type, rdata));
  }

  /** The same for a row, within a transaction. */
  ofRow(zone: number, owner: Uint8Array, type: number, rdata: Uint8Array): Registration | undefined {
    const times = this.#of.get(zone, owner, type, rdata);
    return times === undefined ? undefined : registration(times);
  }

  hasStatic(apex: Name, name: Name): boolean {
    return this.#run(apex, (zone) => this.#static.get(zone, ownerKey(name, apex)) !== undefined);
  }

  refresh(apex: Name, refreshes: readonly Refresh[], noRefresh: number): number {
    if (refreshes.length === 0) return 0;
    return this.#run(apex, (zone) =>
      withoutSync(this.#db, () => {
        let written = 0;
        for (const { name, type, rdata, refreshed, lease = null } of refreshes) {
          // What was promised as a lease is kept to the second; else the interval saves the write.
          const bound = lease === null ? refreshed - noRefresh : refreshed - 1;
          written += this.#refresh.run(
            refreshed,
            lease,
            zone,
            ownerKey(name, apex),
            type,
            rdata,
            refreshed,
            bound,
            lease,
            refreshed + FUTURE,
          ).changes;
        }
        return written;
      }),
    );
  }

  ending(
    apex: Name,
    { refreshedBefore, leaseEndsBefore = 0 }: { refreshedBefore: number; leaseEndsBefore?: number },
    after: Uint8Array = APEX_KEY,
  ): { records: RegisteredRecord[]; end: Uint8Array | undefined } {
    return this.#run(apex, (zone) => {
      const found = this.#pieceEnd.get(zone, after, PIECE_ROWS - 1);
      const end = found === undefined ? undefined : plain(found);
      const rows =
        end === undefined
          ? this.#lastPiece.all(zone, after, refreshedBefore, leaseEndsBefore)
          : this.#piece.all(zone, after, end, refreshedBefore, leaseEndsBefore);
      return { records: rows.map((row) => registered(row, apex)), end };
    });
  }

  leasesEnding(apex: Name, bound: number, limit: number): RegisteredRecord[] {
    return this.#run(apex, (zone) =>
      this.#leases.all(zone, bound, limit).map((row) => registered(row, apex)),
    );
  }

  firstLeaseEnd(apex: Name): number | undefined {
    return this.#run(apex, (zone) => this.#firstLease.get(zone) ?? undefined);
  }

  state(apex: Name): AgeingState | undefined {
    return this.#run(apex, (zone) => {
      const row = this.#state.get(zone);
      return row === undefined ? undefined : { notBefore: row[0], seen: row[1] };
    });
  }

  keepState(apex: Name, state: AgeingState | undefined): void {
    this.#run(apex, (zone) =>
      withoutSync(this.#db, () => {
        if (state === undefined) this.#forget.run(zone);
        else this.#keepState.run(zone, Math.trunc(state.notBefore), Math.trunc(state.seen));
      }),
    );
  }

  /** Removes what is kept of a zone that is dropped, beside its records; within that transaction. */
  clear(zone: number): void {
    this.#forget.run(zone);
  }

  #run<T>(apex: Name, work: (zone: number) => T): T {
    return guarded(`reading or refreshing registrations of ${apex.toString()}`, () =>
      work(this.#catalogue.get(apex).id),
    );
  }
}

function registration([refreshed, lease]: Times): Registration {
  return lease === null ? { refreshed } : { refreshed, lease };
}

function registered([owner, type, rdata, ttl, written, ...times]: Row, apex: Name): RegisteredRecord {
  const wire = written === null ? ownerWire(plain(owner), apex) : plain(written);
  const name = Name.fromTrustedWire(wire);
  return { record: { name, type, class: RrClass.IN, ttl, rdata: plain(rdata) }, ...registration(times) };
}
