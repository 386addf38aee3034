/** The updater before the queue: whom no rule knows is refused at once and takes nobody's place (CVE-2022-3094). */
import { expect, test } from "vitest";
import type { Requester } from "../../../src/auth/acl.ts";
import { parseNetwork } from "../../../src/auth/acl.ts";
import type { UpdateRule } from "../../../src/auth/update-rule.ts";
import type { ChangeQueue } from "../../../src/services/change-queue.ts";
import { QueueFull } from "../../../src/services/change-queue.ts";
import { RefusalLog } from "../../../src/services/refusal-log.ts";
import { Updater } from "../../../src/services/updater.ts";
import type { UpdaterDeps } from "../../../src/services/updater.ts";
import type { ExtendedError } from "../../../src/wire/edns.ts";
import { Rcode } from "../../../src/wire/iana/code.ts";
import { ORIGIN } from "../../support/rr.ts";

const rules: UpdateRule[] = [{ index: 1, net: parseNetwork("192.0.2.0/24")!, udp: true, allow: true }];

/** An updater whose queue is full. */
function setUp() {
  const lines: object[] = [];
  const log = { info: (fields: object) => lines.push(fields), error: (fields: object) => lines.push(fields) };
  const queue = { submit: () => Promise.reject(new QueueFull("the queue is full")) };
  const updater = new Updater({
    queue: queue as unknown as ChangeQueue,
    zones: {} as UpdaterDeps["zones"],
    store: {} as UpdaterDeps["store"],
    ageing: { noted: () => undefined },
    refusals: new RefusalLog(log, () => 0),
    log,
    now: () => 0,
  });
  const ask = async (address: string) => {
    const answers: { rcode: number; ede?: ExtendedError | undefined }[] = [];
    const requester: Requester = { address, transport: "udp" };
    const reply = (outcome: { rcode: number; ede?: ExtendedError | undefined }): Uint8Array => {
      answers.push(outcome);
      return new Uint8Array(12);
    };
    const zone = { apex: ORIGIN, transfer: [], update: rules };
    const request = {
      zone: ORIGIN,
      prerequisites: [],
      expected: [],
      prerequisiteFault: undefined,
      operations: [],
      updateFault: undefined,
    };
    const peer = { address, port: 1, transport: "udp" } as const;
    await updater.handle({ kind: "update", request, zone, requester, reply }, peer);
    return answers[0]!;
  };
  return { ask, updater, lines };
}

test("a stranger is told that no rule knows it, though the queue is full", async () => {
  const { ask, updater, lines } = setUp();
  const { rcode, ede } = await ask("198.51.100.1");
  expect(rcode).toBe(Rcode.REFUSED);
  expect(ede!.text).toBe("no update rule matches unsigned updates from 198.51.100.1");
  expect(updater.counters).toMatchObject({ received: 1, refused: 1 });
  expect(lines).toHaveLength(1);
});

test("whom a rule knows goes to the queue", async () => {
  const { ask } = setUp();
  expect(await ask("192.0.2.1")).toMatchObject({ rcode: Rcode.REFUSED, ede: { text: "the queue is full" } });
});
