/**
 * What `rollcall explain update` says beforehand is what becomes of the update: rules of every kind, a zone that changes as
 * the updates go on, and nsupdate that sends them.
 */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { buildProgram } from "../../src/cli/program.ts";
import { nsupdate } from "../support/clients.ts";
import { fuzzSettings, Random } from "../support/mutate.ts";
import { describeWith } from "../support/peers.ts";
import type { RollcallServer } from "../support/rollcall.ts";
import { inlineKey, startUpdateServer } from "../support/update-server.ts";

const KEYS = ["admin.smb.example", "node1.smb.example", "node2.smb.example", "dhcp.smb.example"];

const RULES = `
[[zone.update]]
key = "admin.smb.example"
names = ["*", "@", "ns1", "fs1"]
[[zone.update]]
names = ["old"]
allow = false
[[zone.update]]
key = "dhcp.smb.example"
net = "127.0.0.2/32"
names = ["*.lan", "node1"]
types = ["A", "TXT"]
own = true
[[zone.update]]
scope = "self-sub"
[[zone.update]]
net = "127.0.0.0/30"
names = ["*.udp", "wpad", "node1"]
udp = true
types = ["A"]
[[zone.update]]
net = "127.0.0.0/8"
scope = "source"
names = ["*.lan", "*.own"]
own = true
[[zone.update]]
net = "127.0.0.0/8"
scope = "source"
own = false
`;

const SENDERS = [...KEYS, undefined, undefined, undefined];
const ADDRESSES = ["127.0.0.1", "127.0.0.2", "127.0.0.5"];
const OWNERS = [
  "@",
  "old",
  "node1",
  "node2",
  "a.node1",
  "ns1",
  "fs1",
  "wpad",
  "x.lan",
  "y.lan",
  "x.own",
  "x.udp",
  "pc",
];
const TYPES = ["A", "A", "A", "TXT"];

interface Attempt {
  readonly key: string | undefined;
  readonly from: string;
  readonly tcp: boolean;
  readonly owner: string;
  readonly type: string;
  readonly value: string;
  readonly isDeletion: boolean;
}

function pick(random: Random, turn: number): Attempt {
  const type = random.pick(TYPES);
  const from = random.pick(ADDRESSES);
  return {
    key: random.pick(SENDERS),
    from,
    tcp: random.below(3) > 0,
    owner: random.pick(OWNERS),
    type,
    value: type === "TXT" ? `"${random.below(2) * turn}"` : random.pick([from, from, ...ADDRESSES]),
    isDeletion: random.below(4) === 0,
  };
}

describeWith(["nsupdate"], "explain", () => {
  let server: RollcallServer;
  beforeAll(async () => {
    server = await startUpdateServer({ algorithms: [], keys: KEYS, rules: RULES });
  });
  afterAll(() => server.remove());

  async function explained({ key, from, tcp, owner, type, value, isDeletion }: Attempt): Promise<boolean> {
    const printed: string[] = [];
    using _ = vi.spyOn(process.stdout, "write").mockImplementation((text) => printed.push(String(text)) > 0);
    const who = ["--from", from, ...(key === undefined ? [] : ["--key", key]), ...(tcp ? ["--tcp"] : [])];
    const what = ["--zone", "smb.example", "--name", owner, "--type", type, "--value", value];
    const how = ["--json", "--config", server.configFile, ...(isDeletion ? ["--delete"] : [])];
    const program = buildProgram(() => undefined);
    await program.parseAsync(["explain", "update", ...what, ...who, ...how], { from: "user" });
    return (JSON.parse(printed.join("")) as { allowed: boolean }).allowed;
  }

  async function sent({
    key,
    from,
    tcp,
    owner,
    type,
    value,
    isDeletion,
  }: Attempt): Promise<readonly string[]> {
    const name = owner === "@" ? "smb.example" : `${owner}.smb.example`;
    const command = isDeletion ? `delete ${name} ${type} ${value}` : `add ${name} 300 ${type} ${value}`;
    const signed = key === undefined ? [] : ["-y", inlineKey("hmac-sha256", key)];
    const { failures } = await nsupdate(
      server,
      ["zone smb.example", `local ${from}`, `update ${command}`],
      ...signed,
      ...(tcp ? ["-v"] : []),
    );
    return failures;
  }

  test("what is said to be allowed happens, what is said to be refused is refused", async () => {
    const { seed, runs } = fuzzSettings(100);
    const random = new Random(seed);
    const seen = new Map<string, number>();
    for (let turn = 1; turn <= runs; turn++) {
      const attempt = pick(random, turn);
      const { counters: before } = await server.status();
      const allowed = await explained(attempt);
      const failures = await sent(attempt);
      const { counters: after } = await server.status();
      // What would change nothing needs no permission.
      const kind = ["updatesChanged", "updatesUnchanged", "updatesRefused"].find(
        (each) => after[each] !== before[each],
      );
      if (kind === "updatesUnchanged") continue;
      const expected = allowed ? ["updatesChanged", []] : ["updatesRefused", ["REFUSED"]];
      expect([seed, attempt, kind, failures]).toEqual([seed, attempt, ...expected]);
      seen.set(kind!, (seen.get(kind!) ?? 0) + 1);
    }
    expect(seen.get("updatesChanged")).toBeGreaterThan(runs / 10);
    expect(seen.get("updatesRefused")).toBeGreaterThan(runs / 5);
  });
});
