/** The keys at start and reload: what is taken, what stays, and that everything is given back. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AcceptorProblem, GssAcceptor } from "../../../src/auth/gss/acceptor.ts";
import type { Config, GssConfig } from "../../../src/config/config.ts";
import { Kerberos } from "../../../src/services/kerberos.ts";
import { FakeAcceptor, fakeToken, GSS_SETTINGS, tkeyQuery } from "../../support/gss.ts";
import { NOW, send } from "../../support/gss-dispatch.ts";

const KEYS = [
  { principal: "DNS/ns1.smb.example@SMB.EXAMPLE", version: 2, encryption: "aes256-cts-hmac-sha1-96" },
  { principal: "DNS/ns1.smb.example@SMB.EXAMPLE", version: 1, encryption: "aes256-cts-hmac-sha1-96" },
];
const GSS: GssConfig = { ...GSS_SETTINGS, keytab: "/etc/dns.keytab", keys: KEYS };

function configWith(gss: GssConfig | undefined): Config {
  return { path: "rollcall.toml", data: "/data", gss } as Config;
}

function kerberos(open: () => GssAcceptor | AcceptorProblem) {
  const lines: [object, string][] = [];
  const log = { info: (fields: object, message: string) => void lines.push([fields, message]) };
  return { kerberos: new Kerberos({ open, log, now: () => NOW * 1000 }), lines };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function take(service: Kerberos, gss: GssConfig | "none" = GSS): void {
  const prepared = service.prepare(configWith(gss === "none" ? undefined : gss));
  if ("code" in prepared) throw new Error(prepared.message);
  service.take(prepared);
}

test("without [gss] there is nothing, and nothing is opened", () => {
  const { kerberos: service } = kerberos(() => {
    throw new Error("opened");
  });
  take(service, "none");
  expect([service.gss, service.counters()]).toEqual([undefined, {}]);
  service.close();
});

test("a library that is missing is a problem of the configuration, with a code and advice", () => {
  const { kerberos: service } = kerberos(() => ({
    code: "GSS_LIBRARY",
    message: "no koffi",
    advice: "Install it.",
  }));
  expect(service.prepare(configWith(GSS))).toEqual({
    severity: "error",
    file: "rollcall.toml",
    code: "GSS_LIBRARY",
    message: "no koffi",
    advice: "Install it.",
  });
  expect(service.gss).toBeUndefined();
  service.close();
});

test("keys that are taken are told, and a context by its principal", () => {
  const { kerberos: service, lines } = kerberos(() => new FakeAcceptor());
  take(service);
  send(service.gss, tkeyQuery());
  expect(lines).toEqual([
    [{ keytab: "/etc/dns.keytab", principals: ["DNS/ns1.smb.example@SMB.EXAMPLE"] }, "GSS-TSIG keys taken"],
    [
      expect.objectContaining({ principal: "NODE1$@SMB.EXAMPLE", peer: "192.0.2.11", transport: "tcp" }),
      "GSS-TSIG context established",
    ],
  ]);
  expect(service.counters()).toMatchObject({ gssContexts: 1, gssAccepted: 1, gssRefused: 0 });
  service.close();
});

test("a reload goes on with new keys and bounds; contexts of the old ones live on", () => {
  const acceptors = [new FakeAcceptor(), new FakeAcceptor()];
  let opened = 0;
  const { kerberos: service } = kerberos(() => acceptors[opened++]!);
  take(service);
  send(service.gss, tkeyQuery());
  take(service, { ...GSS, contexts: 1 });
  expect(acceptors.map(({ closed }) => closed)).toEqual([true, false]);
  expect(service.gss!.contexts.limits.contexts).toBe(1);
  expect([service.gss!.contexts.size, acceptors[0]!.open]).toEqual([1, 1]);
  service.close();
  expect([acceptors[0]!.open, acceptors[1]!.closed]).toEqual([0, true]);
});

test("keys that were prepared and not taken are given back, and the old ones stay", () => {
  const acceptors = [new FakeAcceptor(), new FakeAcceptor()];
  let opened = 0;
  const { kerberos: service } = kerberos(() => acceptors[opened++]!);
  take(service);
  const prepared = service.prepare(configWith(GSS));
  if ("code" in prepared) throw new Error(prepared.message);
  service.discard(prepared);
  expect(acceptors.map(({ closed }) => closed)).toEqual([false, true]);
  service.close();
});

test("contexts are given back a minute after [gss] has gone, or when the server stops before", () => {
  for (const wait of [60_000, 0]) {
    const acceptor = new FakeAcceptor();
    const { kerberos: service } = kerberos(() => acceptor);
    take(service);
    send(service.gss, tkeyQuery({ key: fakeToken("A", `${wait}`) }));
    take(service, "none");
    expect([service.gss, acceptor.open]).toEqual([undefined, 1]);
    vi.advanceTimersByTime(wait);
    if (wait === 0) service.close();
    expect([acceptor.open, acceptor.closed]).toEqual([0, true]);
    service.close();
  }
});

test("what has expired is given back without anybody asking", () => {
  const acceptor = new FakeAcceptor();
  acceptor.lifetime = 10;
  let now = NOW;
  const service = new Kerberos({
    open: () => acceptor,
    log: { info: () => undefined },
    now: () => now * 1000,
  });
  take(service);
  send(service.gss, tkeyQuery());
  now += 11;
  vi.advanceTimersByTime(30_000);
  expect(service.gss!.contexts.size).toBe(0);
  now += 60;
  vi.advanceTimersByTime(30_000);
  expect(acceptor.open).toBe(0);
  service.close();
});
