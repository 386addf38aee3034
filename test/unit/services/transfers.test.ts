/** Transfers over time: what a peer holds by reading hardly anything is taken from it, and others get its place. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parseNetwork } from "../../../src/auth/acl.ts";
import { RefusalLog } from "../../../src/services/refusal-log.ts";
import type { TransferSink, TransfersDeps } from "../../../src/services/transfers.ts";
import { MAX_DURATION, Transfers } from "../../../src/services/transfers.ts";
import { ObjectCursor } from "../../../src/wire/cursor.ts";
import { RrClass } from "../../../src/wire/iana/class.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage } from "../../../src/wire/message.ts";
import { soaRecord } from "../../support/model.ts";
import { ORIGIN, rr } from "../../support/rr.ts";

const peer = { address: "127.0.0.1", port: 5353, transport: "tcp" } as const;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Transfers of a zone of some messages, and a peer that draws them one by one. */
function setUp() {
  const held = { snapshots: 0, isReadable: true };
  const logged: string[] = [];
  const log = {
    info: (_: object, message: string) => logged.push(message),
    warn: (_: object, message: string) => logged.push(message),
  };
  const soa = soaRecord(ORIGIN, 1);
  const big = rr(
    `big.smb.example. 60 TXT ${Array.from({ length: 40 }, () => `"${"x".repeat(250)}"`).join(" ")}`,
  );
  const records = Array.from({ length: 10 }, () => big);
  const snapshot = () => {
    held.snapshots++;
    let open = true;
    const close = (): void => {
      if (open) held.snapshots--;
      open = false;
    };
    function* readable() {
      for (const one of records) {
        if (!held.isReadable) throw new Error("the zone cannot be read");
        yield one;
      }
    }
    return { soa, cursor: () => new ObjectCursor(readable()), close };
  };
  const transfer = [{ net: parseNetwork("127.0.0.0/8")! }];
  const zone = { apex: ORIGIN, transfer, view: { soa, recordCount: records.length + 1 }, snapshot };
  const transfers = new Transfers({
    store: { changesSince: () => undefined },
    zones: { get: () => zone } as unknown as TransfersDeps["zones"],
    refusals: new RefusalLog(log, () => 0),
    secondaries: { observe: () => undefined, retell: () => undefined },
    log,
    now: () => Date.now(),
    maxAtOnce: () => 1,
  });
  const start = () => {
    const drawn: { iterator?: Iterator<Uint8Array>; done?: (complete: boolean) => void } = {};
    const sink: TransferSink = {
      send: () => undefined,
      stream: (messages, done) => {
        drawn.iterator = messages[Symbol.iterator]();
        drawn.done = done;
      },
    };
    const questions = [{ name: ORIGIN, type: RrType.AXFR, class: RrClass.IN }];
    const message = decodeMessage(encodeMessage({ id: 1, flags: 0, rcode: 0, questions }));
    const requester = { address: peer.address, transport: "tcp" } as const;
    transfers.handle({ kind: "transfer", message, requester, transaction: undefined }, peer, sink);
    return drawn;
  };
  return { transfers, start, held, logged };
}

test("a peer that hardly reads loses its snapshot and its place in time, and never takes what it got for whole", () => {
  const { transfers, start, held, logged } = setUp();
  const { iterator, done } = start();
  expect(iterator!.next().done).toBe(false);
  expect(held.snapshots).toBe(1);
  vi.advanceTimersByTime(MAX_DURATION);
  expect(held.snapshots).toBe(0);
  expect(transfers.underWay).toBe(0);
  expect(start().iterator!.next().done).toBe(false);
  expect(() => iterator!.next()).toThrow("hardly reads");
  done!(false);
  expect(logged).toEqual(["transfer ended: it took too long"]);
  expect(transfers.counters.broken).toBe(1);
});

test("one that ends in time leaves no timer behind", () => {
  const { transfers, start, held } = setUp();
  const { iterator, done } = start();
  let next = iterator!.next();
  while (next.done !== true) next = iterator!.next();
  done!(true);
  expect(vi.getTimerCount()).toBe(0);
  expect(held.snapshots).toBe(0);
  expect(transfers.counters.axfr).toBe(1);
});

test("the log tells a zone that could not be read to its end from a peer that went away", () => {
  const { start, held, logged } = setUp();
  const failing = start();
  expect(failing.iterator!.next().done).toBe(false);
  held.isReadable = false;
  expect(() => failing.iterator!.next()).toThrow("cannot be read");
  failing.done!(false);
  held.isReadable = true;
  start().done!(false);
  expect(logged).toEqual([
    "transfer ended: reading the zone failed",
    "transfer broken off: the peer went away, or read nothing for too long",
  ]);
  expect(held.snapshots).toBe(0);
});
