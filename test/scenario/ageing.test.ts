/** Leases in a running server: granted over the network, ended by its own clock, with reverse records, over a restart and kill -9. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HistoryJson, StaleJson } from "../../src/control/verbs.ts";
import { addWithLease, askText } from "../support/exchange.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";

const REVERSE =
  "@ 300 IN SOA ns1.smb.example. hostmaster.smb.example. 1 900 60 1209600 30\n@ 300 IN NS ns1.smb.example.\n";
const AGEING = `[zone.ageing]\nmin_lease = "1s"\n[[zone.update]]\nnet = "127.0.0.0/8"\nudp = true\n`;

let server: RollcallServer;
beforeAll(async () => {
  server = await RollcallServer.start({
    files: { "smb.zone": SMALL_ZONE, "reverse.zone": REVERSE },
    config: `[[zone]]\nname = "smb.example"\nfile = "smb.zone"\nptr = true\n${AGEING}
[[zone]]\nname = "2.0.192.in-addr.arpa"\nfile = "reverse.zone"\n`,
  });
});
afterAll(() => server.remove());

const lease = (seconds: number, ...records: string[]) =>
  addWithLease(server, "smb.example", { lease: seconds }, ...records);
const agedOut = (name: string) =>
  server.logged(({ msg, names }) => msg === "records aged out" && (names as string[]).includes(name));
const status = async (text: string): Promise<string> => (await askText(server, text)).rcode;
const stale = async (): Promise<string[]> => {
  const records: StaleJson[] = [];
  const onData = (part: unknown): void => void records.push(...(part as StaleJson[]));
  await server.control("zone.stale", { zone: "smb.example.", until: Date.now() + 86_400_000 }, { onData });
  return records.map(({ name, lease: seconds }) => `${name} ${seconds}`);
};

test("a lease is granted, and its end takes the record and the PTR that came with it, in one commit", async () => {
  expect(await lease(1, "brief 60 A 192.0.2.77")).toEqual({ rcode: "NOERROR", granted: { lease: 1 } });
  expect(await status("77.2.0.192.in-addr.arpa. PTR")).toBe("NOERROR");
  expect(await agedOut("brief.smb.example.")).toMatchObject({ removed: 1, why: "lease ended" });
  expect(await status("brief.smb.example. A")).toBe("NXDOMAIN");
  expect(await status("77.2.0.192.in-addr.arpa. PTR")).toBe("NXDOMAIN");
  const history: HistoryJson[] = [];
  const onData = (part: unknown): void => void history.push(...(part as HistoryJson[]));
  await server.control("zone.history", { zone: "2.0.192.in-addr.arpa.", limit: 1 }, { onData });
  expect(history).toMatchObject([
    { cause: "ptr", note: "with smb.example. serial 3", diff: { removedCount: 1 } },
  ]);
  expect((await server.status()).counters).toMatchObject({ recordsAgedOut: 1 });
});

test("a refresh is acknowledged and takes no serial", async () => {
  await lease(3600, "long 60 A 192.0.2.78");
  const before = (await server.status()).zones.find(({ name }) => name === "smb.example.")!.serial;
  expect(await lease(7200, "long 60 A 192.0.2.78")).toEqual({ rcode: "NOERROR", granted: { lease: 7200 } });
  const { zones, counters } = await server.status();
  expect(zones.find(({ name }) => name === "smb.example.")!.serial).toBe(before);
  expect(counters).toMatchObject({ refreshes: 1 });
  expect(await stale()).toEqual(["long.smb.example. 7200"]);
});

test("a graceful stop writes refreshes that were not written yet", async () => {
  await lease(10_800, "long 60 A 192.0.2.78");
  expect(await server.down()).toBe(0);
  await server.up();
  expect(await stale()).toEqual(["long.smb.example. 10800"]);
});

test("after kill -9 leases go on to their end", async () => {
  await lease(2, "killed 60 A 192.0.2.79");
  await server.down("SIGKILL");
  await server.up();
  expect(await status("killed.smb.example. A")).toBe("NOERROR");
  await agedOut("killed.smb.example.");
  expect(await status("killed.smb.example. A")).toBe("NXDOMAIN");
  expect(await status("long.smb.example. A")).toBe("NOERROR");
});
