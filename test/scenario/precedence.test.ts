/** The threads of a running server, as the scheduler has them. */
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism, getPriority, release } from "node:os";
import { afterEach, describe, expect, test } from "vitest";
import { add, askText } from "../support/exchange.ts";
import { native } from "../support/native.ts";
import { findProgram } from "../support/process.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";

const CONFIG = `[[zone]]
name = "smb.example"
file = "smb.zone"
[[zone.update]]
net = "0.0.0.0/0"
udp = true
`;

const [MAJOR = 0, MINOR = 0] = release().split(".").map(Number);
const HAS_SLICES = MAJOR > 6 || (MAJOR === 6 && MINOR >= 12);

interface Scheduled {
  readonly name: string;
  readonly nice: number;
  /** Nanoseconds; undefined where the kernel does not tell, or a thread cannot ask for its own (before Linux 6.12). */
  readonly slice: number | undefined;
}

/** Every thread of a process that has not ended meanwhile. */
function threadsOf(pid: number): Scheduled[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const read = (file: string): string => readIfThere(`/proc/${pid}/task/${thread}/${file}`);
    const [name, stat, sched] = [read("comm").trim(), read("stat"), read("sched")];
    if (stat === "") return [];
    // Field 19, counted behind the program's name, which may hold anything.
    const nice = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
    const slice = /^se\.slice +: +(\d+)$/m.exec(sched)?.[1];
    return { name, nice, slice: slice === undefined || !HAS_SLICES ? undefined : Number(slice) };
  });
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code!)) return "";
    throw error;
  }
}

let server: RollcallServer | undefined;
afterEach(async () => {
  await server?.remove();
  server = undefined;
});

/** One of the cores this process may use, for the server to have no other. */
function oneCore(): string {
  const allowed = /^Cpus_allowed_list:\s+(\d+)/m.exec(readIfThere("/proc/self/status"))?.[1];
  return allowed ?? "0";
}

async function start(threads: number, prefix: readonly string[]): Promise<RollcallServer> {
  const files = { "smb.zone": SMALL_ZONE };
  const env = { ROLLCALL_PORTABLE_UDP: "" };
  return RollcallServer.start({ config: `threads = ${threads}\n${CONFIG}`, files, env, prefix });
}

/** As root everything is allowed; without this capability it is as for anybody else. */
const canDrop = process.getuid?.() === 0 && findProgram("setpriv") !== undefined;
const USERS = [
  { user: "as this user", prefix: [] },
  ...(canDrop ? [{ user: "without privilege", prefix: ["setpriv", "--bounding-set=-sys_nice"] }] : []),
];
const canPin = findProgram("taskset") !== undefined;
const isAnswering = ({ name }: Scheduled): boolean => name.startsWith("answer ");

describe.runIf(native && canPin)("on one core questions go before everything else", () => {
  test.each(USERS)("$user", async ({ prefix }) => {
    server = await start(2, ["taskset", "-c", oneCore(), ...prefix]);
    const { pid } = server.daemon;
    const answering = (): Scheduled[] => threadsOf(pid).filter(isAnswering);
    const others = (): Scheduled[] => threadsOf(pid).filter((thread) => !isAnswering(thread));
    const own = getPriority(0);
    const nicer = Math.min(19, own + 10);
    await expect.poll(() => others().every(({ nice }) => nice === nicer)).toBe(true);
    expect(others().length, "the control thread and V8's").toBeGreaterThan(2);
    expect(answering()).toMatchObject([{ nice: own }, { nice: own }]);
    for (const { slice } of answering()) expect([undefined, 100_000]).toContain(slice);
    // What it begins later gives way as well; and it all still works.
    expect(await add(server, "new 60 A 192.0.2.9")).toBe("NOERROR");
    expect(await askText(server, "new.smb.example. A")).toMatchObject({ rcode: "NOERROR" });
    expect(others().filter(({ nice }) => nice !== nicer)).toEqual([]);
  });
});

test.runIf(native && availableParallelism() > 1)("where each has a core nobody gives way", async () => {
  server = await start(1, []);
  // One that gives way has done so before the first update is answered.
  expect(await add(server, "new 60 A 192.0.2.9")).toBe("NOERROR");
  const nice = threadsOf(server.daemon.pid).map((thread) => thread.nice);
  expect(new Set(nice)).toEqual(new Set([getPriority(0)]));
});
