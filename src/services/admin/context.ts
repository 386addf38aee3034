/** What the administrator's verbs need of the house, and how they name a zone. */
import type { RecordLimits, ZoneConfig } from "../../config/config.ts";
import { didYouMean } from "../../config/suggest.ts";
import { ControlError } from "../../control/protocol.ts";
import type { ReloadReport, SecondaryJson, ServerStatus } from "../../control/verbs.ts";
import { Name, NameSyntaxError } from "../../wire/name.ts";
import type { ResourceRecord } from "../../wire/record.ts";
import type { ChangeOrigin } from "../../zone/changeset.ts";
import type { StoredZone, ZoneStore } from "../../zone/ports.ts";
import type { Ageing } from "../ageing.ts";
import type { ChangeQueue, PublishedZone } from "../change-queue.ts";
import { CommitFailed, QueueClosed, QueueFull, ZoneGone } from "../change-queue.ts";

export interface AdminContext {
  readonly store: ZoneStore;
  readonly changes: Pick<ChangeQueue, "submit">;
  readonly ageing: Pick<Ageing, "departures" | "scavenge">;
  /** The configuration of a zone; undefined where it names no such zone. */
  readonly zoneConfig: (apex: Name) => ZoneConfig | undefined;
  /** The zone being served at an apex. */
  readonly publishedZone: (apex: Name) => PublishedZone | undefined;
  /**
   * Creates a zone in the store, and serves it where the configuration names it.
   * @param onWritten told how many records are written, every now and then; where it fails there will be no zone
   */
  readonly createZone: (
    apex: Name,
    records: readonly ResourceRecord[],
    origin: ChangeOrigin,
    onWritten: (records: number) => Promise<void>,
  ) => Promise<StoredZone>;
  /** Told how many records a request held and does not hold any more. */
  readonly released: (records: number) => void;
  /** Caps on records where the configuration does not name the zone. */
  readonly limits: () => RecordLimits;
  /** Where the secondaries of a zone have got to. */
  readonly secondaries: (apex: Name) => readonly SecondaryJson[];
  /** The server's status without its zones. */
  readonly status: () => Omit<ServerStatus, "zones">;
  readonly reload: () => Promise<ReloadReport>;
  /** Begins to stop; called when the answer to `stop` is on its way. */
  readonly stop: () => void;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  readonly log: { info(fields: object, message: string): void };
}

/** A name that came as an argument. @throws ControlError */
export function nameOf(text: string): Name {
  try {
    return Name.parse(text);
  } catch (error) {
    if (!(error instanceof NameSyntaxError)) throw error;
    throw new ControlError("CONTROL_ARGUMENT", `"${text}" is not a domain name: ${error.message}`);
  }
}

/** The zone in the store that an argument names. @throws ControlError `ZONE_UNKNOWN`, listing those there are */
export function storedZone(context: AdminContext, text: string): StoredZone {
  const apex = nameOf(text);
  const zones = context.store.zones();
  const zone = zones.find((candidate) => candidate.apex.equals(apex));
  if (zone !== undefined) return zone;
  const names = zones.slice(0, 20).map((candidate) => candidate.apex.toString());
  if (zones.length > names.length) names.push(`… and ${zones.length - names.length} more`);
  throw new ControlError("ZONE_UNKNOWN", `there is no zone ${apex.toString()} in the store`, {
    advice: didYouMean(apex.toString(), names),
  });
}

/** Says that a zone of the store cannot be changed, because nothing serves it. */
export function notServed(apex: Name): ControlError {
  return new ControlError(
    "ZONE_NOT_SERVED",
    `the zone ${apex.toString()} is not served, and so cannot be changed`,
    {
      advice: `Add it to the configuration ([[zone]] with name = "${apex.toString()}"), then: rollcall reload`,
    },
  );
}

/** What the failure of a queued change means to an operator. */
export function changeFailure(error: unknown, apex: Name): unknown {
  if (error instanceof CommitFailed) {
    return new ControlError("ZONE_COMMIT", `${error.message}; nothing was changed`, {
      advice: "The server's log says more. Is the disk full?",
    });
  }
  if (error instanceof QueueFull || error instanceof QueueClosed) {
    return new ControlError("CONTROL_BUSY", error.message, { advice: "Try again later." });
  }
  return error instanceof ZoneGone ? notServed(apex) : error;
}
