/** The notifier: at once, coalesced, repeated, believed only where it should be, and never more than one under way. */
import { createSocket } from "node:dgram";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { algorithmFromText } from "../../../src/auth/tsig/key.ts";
import type { TsigKey } from "../../../src/auth/tsig/key.ts";
import { verifyRequest } from "../../../src/auth/tsig/server.ts";
import type { NotifyTarget } from "../../../src/config/config.ts";
import type { NotifierDeps } from "../../../src/services/notifier.ts";
import { Notifier } from "../../../src/services/notifier.ts";
import {
  FIRST_REFUSED_WAIT,
  FIRST_TIMEOUT,
  MAX_TIMEOUT,
  MIN_INTERVAL,
} from "../../../src/services/notify-secondary.ts";
import type { DatagramHandler } from "../../../src/services/notify-socket.ts";
import { plainTarget } from "../../../src/services/notify-socket.ts";
import { ObjectCursor } from "../../../src/wire/cursor.ts";
import { Opcode, Rcode } from "../../../src/wire/iana/code.ts";
import type { Message } from "../../../src/wire/message.ts";
import { decodeMessage, encodeMessage, Flag } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { soaSerial } from "../../../src/wire/rdata/soa.ts";
import type { ResourceRecord } from "../../../src/wire/record.ts";
import type { Changeset } from "../../../src/zone/changeset.ts";
import type { SecondaryState } from "../../../src/zone/ports.ts";
import { soaRecord, ZoneModel } from "../../support/model.ts";

const apex = Name.parse("smb.example.");
const other = Name.parse("2.0.192.in-addr.arpa.");
const emptySnapshot = {
  recordCount: 1,
  records: () => [],
  cursor: () => new ObjectCursor([]),
  close: () => undefined,
};
const near: NotifyTarget = { address: "192.0.2.53", port: 53 };
const far: NotifyTarget = { address: "2001:db8::53", port: 5300 };
const key: TsigKey = {
  name: Name.parse("notify."),
  algorithm: algorithmFromText("hmac-sha256")!,
  secret: new Uint8Array(32).fill(3),
};

interface Sent {
  readonly bytes: Uint8Array;
  readonly message: Message;
  readonly address: string;
  readonly port: number;
  readonly at: number;
  readonly serial: number | undefined;
}

/** A notifier on a network that is an array. */
class Bench {
  readonly sent: Sent[] = [];
  readonly logged: string[] = [];
  readonly remembered: [zone: string, state: SecondaryState][] = [];
  readonly notifier: Notifier;
  readonly models = new Map<string, ZoneModel>();
  stored: SecondaryState[] = [];
  /** Datagrams fail with this. */
  unreachable: Error | undefined;
  closed = false;
  #deliver: DatagramHandler = () => undefined;

  constructor(zones: readonly ResourceRecord[] = [soaRecord(apex, 1)]) {
    for (const soa of zones) this.models.set(soa.name.key, new ZoneModel(soa));
    const deps: NotifierDeps = {
      store: {
        snapshot: (zone) => {
          const model = this.models.get(zone.key);
          if (model === undefined) throw new Error("no such zone");
          return { ...emptySnapshot, apex: zone, soa: model.soa };
        },
        secondaries: () => this.stored,
        rememberSecondary: (zone, state) => this.remembered.push([zone.toString(), state]),
      },
      log: {
        info: (fields, message) => this.logged.push(`info ${message} ${JSON.stringify(fields)}`),
        warn: (fields, message) => this.logged.push(`warn ${message} ${JSON.stringify(fields)}`),
      },
      now: () => Date.now(),
      random: () => 0.5,
      transport: (received) => {
        this.#deliver = received;
        return {
          send: (bytes, address, port, failed) => {
            const message = decodeMessage(bytes);
            const [soa] = message.answers;
            const serial = soa && soaSerial(soa.rdata);
            this.sent.push({ bytes, message, address, port, at: Date.now(), serial });
            if (this.unreachable !== undefined) failed(this.unreachable);
          },
          close: async () => {
            this.closed = true;
          },
        };
      },
    };
    this.notifier = new Notifier(deps);
  }

  get last(): Sent {
    return this.sent[this.sent.length - 1]!;
  }

  get serials(): (number | undefined)[] {
    return this.sent.map(({ serial }) => serial);
  }

  configure(notify: readonly NotifyTarget[], zone = apex): void {
    this.notifier.configure([{ apex: zone, notify }]);
  }

  /** Commits so many changes of a zone and tells of them. */
  commit(count = 1, zone = apex): void {
    const model = this.models.get(zone.key)!;
    const changes: Changeset[] = [];
    for (let i = 0; i < count; i++) {
      const change = model.change([], []);
      model.apply(change);
      changes.push(change);
    }
    this.notifier.committed(changes);
  }

  /** What the secondary says to a NOTIFY; by default that it heard. */
  reply(to: Sent, rcode: number = Rcode.NOERROR, answers: readonly ResourceRecord[] = []): Uint8Array {
    const bytes = encodeMessage({
      id: to.message.header.id,
      flags: Flag.QR | Flag.AA | (Opcode.NOTIFY << 11),
      rcode,
      questions: to.message.questions,
      answers,
    });
    if (to.message.tsig === undefined) return bytes;
    const now = Math.floor(Date.now() / 1000);
    const verdict = verifyRequest(to.bytes, to.message.tsig, new Map([[key.name.key, key]]), now);
    return verdict.ok ? verdict.transaction.sign(bytes, now) : verdict.reply(bytes);
  }

  deliver(bytes: Uint8Array, from: { address: string; port: number } = near): void {
    this.#deliver(bytes, from.address, from.port);
  }

  acknowledge(to: Sent = this.last): void {
    this.deliver(this.reply(to), to);
  }

  /** Everything sent so far. */
  acknowledgeAll(): void {
    const sofar = this.sent.length;
    for (let i = 0; i < sofar; i++) this.acknowledge(this.sent[i]);
  }

  state(zone = apex): string {
    return this.notifier.status(zone)[0]!.state;
  }
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("telling", () => {
  test("each secondary of a zone is told once at the start, and at once of every commit", () => {
    const bench = new Bench();
    bench.configure([near, far]);
    expect(bench.sent.map(({ address, port, serial }) => [address, port, serial])).toEqual([
      ["192.0.2.53", 53, 1],
      ["2001:db8::53", 5300, 1],
    ]);
    bench.acknowledgeAll();
    vi.advanceTimersByTime(1000);
    bench.commit();
    expect(bench.serials).toEqual([1, 1, 2, 2]);
    expect(bench.last.at).toBe(Date.now());
    expect(bench.sent.every(({ message }) => message.tsig === undefined && message.edns === undefined)).toBe(
      true,
    );
  });

  test("a batch of changesets is one NOTIFY, of the newest serial; other zones are left alone", () => {
    const bench = new Bench([soaRecord(apex, 1), soaRecord(other, 70)]);
    bench.notifier.configure([
      { apex, notify: [near] },
      { apex: other, notify: [far] },
    ]);
    bench.acknowledgeAll();
    vi.advanceTimersByTime(1000);
    bench.commit(50);
    expect(bench.sent.length).toBe(3);
    expect(bench.last).toMatchObject({ address: near.address, serial: 51 });
  });

  test("what changes while a NOTIFY is under way goes out as one when the answer is there", () => {
    const bench = new Bench();
    bench.configure([near]);
    vi.advanceTimersByTime(MIN_INTERVAL);
    for (let i = 0; i < 100; i++) bench.commit();
    expect(bench.serials).toEqual([1]);
    bench.acknowledge();
    expect(bench.serials).toEqual([1, 101]);
    bench.acknowledge();
    vi.advanceTimersByTime(MAX_TIMEOUT * 2);
    expect(bench.serials).toEqual([1, 101]);
    expect(bench.notifier.counters).toMatchObject({ sent: 2, acknowledged: 2, unanswered: 0 });
  });

  test("under load a secondary that answers at once is told no more often than its interval, and the last is told", () => {
    const bench = new Bench();
    bench.configure([near]);
    bench.acknowledge();
    for (let ms = 0; ms < 1000; ms++) {
      const before = bench.sent.length;
      bench.commit(3);
      vi.advanceTimersByTime(1);
      for (const sent of bench.sent.slice(before)) bench.acknowledge(sent);
    }
    vi.advanceTimersByTime(MIN_INTERVAL);
    bench.acknowledge();
    expect(bench.sent.length).toBeGreaterThan(900 / MIN_INTERVAL);
    expect(bench.sent.length).toBeLessThanOrEqual(1000 / MIN_INTERVAL + 2);
    expect(bench.last.serial).toBe(3001);
    expect(bench.state()).toBe("notified");
  });

  test("a clock that is set back keeps nobody waiting", () => {
    const bench = new Bench();
    bench.configure([near]);
    bench.acknowledge();
    vi.advanceTimersByTime(1000);
    vi.setSystemTime(Date.now() - 3_600_000);
    bench.commit();
    vi.advanceTimersByTime(MIN_INTERVAL);
    expect(bench.serials).toEqual([1, 2]);
  });

  test("at the start of very many they do not go all at once", () => {
    const zones = Array.from({ length: 200 }, (_, i) => soaRecord(Name.parse(`zone-${i}.example.`), 1));
    const bench = new Bench(zones);
    bench.notifier.configure(zones.map(({ name }) => ({ apex: name, notify: [near] })));
    expect(bench.sent.length).toBe(16);
    vi.advanceTimersByTime(130);
    expect(new Set(bench.sent.map(({ message }) => message.questions[0]!.name.key)).size).toBe(200);
    expect(new Set(bench.sent.map(({ message }) => message.header.id)).size).toBe(200);
  });
});

describe("no answer", () => {
  test("the same message again after 250 ms, then doubled up to a minute, for ever", () => {
    const bench = new Bench();
    bench.configure([near]);
    vi.advanceTimersByTime(10 * 60_000);
    const times = bench.sent.map(({ at }) => at);
    const gaps = times.slice(1).map((at, i) => at - times[i]!);
    expect(gaps.slice(0, 10)).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    expect(gaps.slice(10).every((gap) => gap === MAX_TIMEOUT)).toBe(true);
    expect(bench.sent[1]!.bytes).toEqual(bench.sent[0]!.bytes);
    expect(bench.state()).toBe("unreachable");
    expect(bench.logged.filter((line) => line.startsWith("warn"))).toHaveLength(1);
  });

  test("a datagram lost costs a quarter of a second, and the answer to either try counts", () => {
    const bench = new Bench();
    bench.configure([near]);
    vi.advanceTimersByTime(FIRST_TIMEOUT);
    expect(bench.sent).toHaveLength(2);
    bench.acknowledge(bench.sent[0]);
    vi.advanceTimersByTime(MAX_TIMEOUT);
    expect(bench.sent).toHaveLength(2);
    expect(bench.state()).toBe("notified");
  });

  test("a try after a change tells the newest serial", () => {
    const bench = new Bench();
    bench.configure([near]);
    bench.commit(2);
    vi.advanceTimersByTime(FIRST_TIMEOUT);
    expect(bench.serials).toEqual([1, 3]);
  });

  test("a secondary long silent is told of a change soon, but no more than once a second", () => {
    const bench = new Bench();
    bench.configure([near]);
    vi.advanceTimersByTime(10 * 60_000);
    const before = bench.sent.length;
    vi.advanceTimersByTime(2000);
    for (let i = 0; i < 100; i++) {
      bench.commit();
      vi.advanceTimersByTime(50);
    }
    expect(bench.sent.length - before).toBeGreaterThanOrEqual(5);
    expect(bench.sent.length - before).toBeLessThanOrEqual(6);
    bench.acknowledge();
    expect(bench.serials[bench.sent.length - 1]).toBe(101);
    bench.acknowledge();
    expect(bench.state()).toBe("notified");
    expect(bench.logged[bench.logged.length - 1]).toContain("again");
  });

  test("an error of the network is told once, and tries go on", () => {
    const bench = new Bench();
    bench.unreachable = new Error("ENETUNREACH");
    bench.configure([near]);
    vi.advanceTimersByTime(60_000);
    expect(bench.sent.length).toBeGreaterThan(6);
    expect(bench.logged.filter((line) => line.includes("ENETUNREACH"))).toHaveLength(1);
    expect(bench.notifier.status(apex)[0]).toMatchObject({
      state: "unreachable",
      lastError: "NOTIFY could not be sent: ENETUNREACH",
    });
  });
});

describe("answers", () => {
  test.each([
    ["NOTAUTH", Rcode.NOTAUTH],
    ["NOTIMP", Rcode.NOTIMP],
    ["REFUSED", Rcode.REFUSED],
  ])("%s is logged once, counted, and tried again slowly", (text, rcode) => {
    const bench = new Bench();
    bench.configure([near]);
    for (let i = 0; i < 4; i++) {
      bench.deliver(bench.reply(bench.last, rcode));
      vi.advanceTimersByTime(FIRST_REFUSED_WAIT * 2 ** i);
    }
    const times = bench.sent.map(({ at }) => at);
    expect(times.slice(1).map((at, i) => at - times[i]!)).toEqual([15_000, 30_000, 60_000, 120_000]);
    expect(bench.notifier.counters.refused).toBe(4);
    expect(bench.logged).toHaveLength(1);
    expect(bench.logged[0]).toContain(text);
    expect(bench.notifier.status(apex)[0]).toMatchObject({
      state: "refusing",
      lastError: expect.stringContaining(text),
    });
    bench.acknowledge();
    expect(bench.state()).toBe("notified");
    expect(bench.notifier.status(apex)[0]).not.toHaveProperty("lastError");
  });

  test("a secondary that refuses is told of a change, but no more than every ten seconds", () => {
    const bench = new Bench();
    bench.configure([near]);
    for (let ms = 0; ms < 60_000; ms += 100) {
      bench.commit();
      if (bench.last.at === Date.now()) bench.deliver(bench.reply(bench.last, Rcode.REFUSED));
      vi.advanceTimersByTime(100);
    }
    expect(bench.sent.length).toBeLessThanOrEqual(8);
    expect(bench.sent.length).toBeGreaterThanOrEqual(4);
  });

  test("datagrams that answer nothing are counted and change nothing", () => {
    const bench = new Bench();
    bench.configure([near]);
    const { message } = bench.last;
    bench.deliver(bench.reply(bench.last), { address: "192.0.2.54", port: 53 });
    bench.deliver(bench.reply(bench.last), { address: near.address, port: 54 });
    bench.deliver(
      bench.reply({
        ...bench.last,
        message: { ...message, header: { ...message.header, id: message.header.id ^ 1 } },
      }),
    );
    bench.deliver(bench.last.bytes);
    bench.deliver(Uint8Array.of(1, 2, 3));
    bench.deliver(bench.reply(bench.last).subarray(0, 20));
    expect(bench.notifier.counters).toMatchObject({ acknowledged: 0, ignored: 6 });
    expect(bench.state()).toBe("notifying");
    bench.acknowledge();
    bench.acknowledge();
    expect(bench.notifier.counters).toMatchObject({ acknowledged: 1, ignored: 7 });
  });

  test("a secondary that gives a serial of its own gives where it is", () => {
    const bench = new Bench([soaRecord(apex, 9)]);
    bench.configure([near]);
    bench.deliver(bench.reply(bench.last, Rcode.NOERROR, [soaRecord(apex, 4)]));
    expect(bench.notifier.status(apex)[0]).toMatchObject({
      acknowledgedSerial: 9,
      fetchedSerial: 4,
      state: "notified",
    });
  });
});

describe("with a key", () => {
  const keyed = { ...near, key };

  test("the NOTIFY is signed, and a signed answer counts", () => {
    const bench = new Bench();
    bench.configure([keyed]);
    expect(bench.last.message.tsig?.keyName.toString()).toBe("notify.");
    bench.acknowledge();
    expect(bench.notifier.counters).toMatchObject({ acknowledged: 1, ignored: 0 });
  });

  test("an answer without a signature, or with a wrong one, is not believed; the log says so once", () => {
    const bench = new Bench();
    bench.configure([keyed]);
    bench.deliver(bench.reply({ ...bench.last, message: { ...bench.last.message, tsig: undefined } }));
    const forged = bench.reply(bench.last);
    forged[forged.length - 8]! ^= 1;
    bench.deliver(forged);
    expect(bench.notifier.counters).toMatchObject({ acknowledged: 0, ignored: 2 });
    expect(bench.logged).toHaveLength(1);
    bench.acknowledge();
    expect(bench.notifier.counters.acknowledged).toBe(1);
    expect(bench.logged[1]).toContain("again");
  });

  test("a try much later is signed anew", () => {
    const bench = new Bench();
    bench.configure([keyed]);
    vi.advanceTimersByTime(10 * 60_000);
    const { timeSigned } = bench.last.message.tsig!;
    expect(Date.now() / 1000 - timeSigned).toBeLessThanOrEqual(60 + MAX_TIMEOUT / 1000);
    bench.acknowledge();
    expect(bench.notifier.counters.acknowledged).toBe(1);
  });
});

describe("where secondaries have got to", () => {
  test("acknowledged, fetched, behind", () => {
    const bench = new Bench();
    bench.configure([near]);
    expect(bench.state()).toBe("notifying");
    bench.acknowledge();
    expect(bench.state()).toBe("notified");
    bench.notifier.observe(apex, near.address, 1);
    expect(bench.state()).toBe("current");
    vi.advanceTimersByTime(1000);
    bench.commit();
    bench.acknowledge();
    expect(bench.state()).toBe("notified");
    vi.advanceTimersByTime(10_000);
    expect(bench.state()).toBe("behind");
    bench.notifier.observe(apex, near.address, 2);
    expect(bench.notifier.status(apex)[0]).toEqual({
      address: "192.0.2.53:53",
      state: "current",
      serial: 2,
      at: Date.now(),
      acknowledgedSerial: 2,
      fetchedSerial: 2,
      unanswered: 0,
    });
    expect(bench.remembered.map(([zone, { address, serial }]) => [zone, address, serial])).toEqual([
      ["smb.example.", "192.0.2.53:53", 1],
      ["smb.example.", "192.0.2.53:53", 1],
      ["smb.example.", "192.0.2.53:53", 2],
      ["smb.example.", "192.0.2.53:53", 2],
    ]);
  });

  test("of several at one address those with another key than the transfer's are not meant", () => {
    const bench = new Bench();
    const fetched = (): (number | undefined)[] =>
      bench.notifier.status(apex).map(({ fetchedSerial }) => fetchedSerial);
    bench.configure([
      { ...near, port: 5300, key },
      { ...near, port: 5301, key: { ...key, name: apex } },
      far,
    ]);
    bench.notifier.observe(apex, near.address, 1, key.name);
    expect(fetched()).toEqual([1, undefined, undefined]);
    bench.notifier.observe(apex, near.address, 1);
    expect(fetched()).toEqual([1, 1, undefined]);
    bench.notifier.observe(apex, "2001:0DB8::53", 1, key.name);
    expect(fetched()).toEqual([1, 1, 1]);
    bench.notifier.observe(apex, "198.51.100.1", 2);
    expect(fetched()).toEqual([1, 1, 1]);
  });

  test("what an earlier run learnt is there after a restart, and the secondary is told again", () => {
    const bench = new Bench([soaRecord(apex, 9)]);
    bench.stored = [{ address: "192.0.2.53:53", serial: 7, at: 1_700_000_000_000 }];
    bench.configure([near]);
    expect(bench.notifier.status(apex)[0]).toMatchObject({
      serial: 7,
      at: 1_700_000_000_000,
      state: "notifying",
    });
    expect(bench.serials).toEqual([9]);
  });

  test("retell tells those at an address again", () => {
    const bench = new Bench();
    bench.configure([near, far]);
    bench.acknowledgeAll();
    vi.advanceTimersByTime(1000);
    bench.notifier.retell(apex, far.address);
    expect(bench.sent).toHaveLength(3);
    expect(bench.last.address).toBe(far.address);
  });
});

describe("reload and end", () => {
  test("targets that stay are left in peace, new ones are told, those gone hear nothing more", () => {
    const bench = new Bench();
    bench.configure([near]);
    bench.configure([near, far]);
    expect(bench.sent.map(({ address }) => address)).toEqual([near.address, far.address]);
    bench.configure([far]);
    vi.advanceTimersByTime(60_000);
    expect(bench.sent.filter(({ address }) => address === near.address)).toHaveLength(1);
    expect(bench.sent.filter(({ address }) => address === far.address).length).toBeGreaterThan(1);
    bench.configure([]);
    const before = bench.sent.length;
    bench.commit();
    vi.advanceTimersByTime(600_000);
    expect(bench.sent).toHaveLength(before);
    expect(bench.notifier.status(apex)).toEqual([]);
  });

  test("a key that is new signs the next one", () => {
    const bench = new Bench();
    bench.configure([near]);
    bench.acknowledge();
    bench.configure([{ ...near, key }]);
    vi.advanceTimersByTime(1000);
    bench.commit();
    expect(bench.last.message.tsig).toBeDefined();
  });

  test("a zone that is not in the store yet is told of when it is", () => {
    const bench = new Bench([]);
    bench.configure([near]);
    expect(bench.sent).toHaveLength(0);
    expect(bench.state()).toBe("waiting");
    bench.models.set(apex.key, new ZoneModel(soaRecord(apex, 5)));
    bench.configure([near]);
    expect(bench.serials).toEqual([5]);
  });

  test("after close nothing is sent", async () => {
    const bench = new Bench();
    bench.configure([near]);
    await bench.notifier.close();
    bench.commit();
    vi.advanceTimersByTime(600_000);
    expect(bench.sent).toHaveLength(1);
    expect(bench.closed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("the sockets", () => {
  beforeEach(() => {
    vi.useRealTimers();
  });

  test.each([
    ["IPv4", "udp4", "127.0.0.1"],
    ["IPv6", "udp6", "::1"],
  ] as const)("%s: told, acknowledged, closed", async (_, type, address) => {
    const secondary = createSocket(type);
    await new Promise<void>((resolve) => secondary.bind(0, address, resolve));
    const acknowledged = Promise.withResolvers<number>();
    const notifier = new Notifier({
      store: {
        snapshot: () => ({ ...emptySnapshot, apex, soa: soaRecord(apex, 5) }),
        secondaries: () => [],
        rememberSecondary: (_zone, { serial }) => acknowledged.resolve(serial),
      },
      log: { info: () => undefined, warn: () => undefined },
      now: Date.now,
    });
    secondary.on("message", (bytes, from) => {
      const { header, questions } = decodeMessage(bytes);
      const flags = Flag.QR | (Opcode.NOTIFY << 11);
      secondary.send(encodeMessage({ id: header.id, flags, rcode: 0, questions }), from.port, from.address);
    });
    notifier.configure([{ apex, notify: [{ address, port: secondary.address().port }] }]);
    expect(await acknowledged.promise).toBe(5);
    await notifier.close();
    await new Promise<void>((resolve) => secondary.close(resolve));
  });

  test("addresses are compared in one spelling", () => {
    expect(plainTarget("2001:DB8:0::1")).toBe("2001:db8::1");
    expect(plainTarget("fe80::1%eth0")).toBe("fe80::1");
    expect(plainTarget("192.0.2.1")).toBe("192.0.2.1");
  });
});
