/** A network namespace of a test's own: addresses that are nobody else's, which only root can have. */
import { spawnSync } from "node:child_process";
import { findProgram, run } from "./process.ts";

let count = 0;

export class NetworkNamespace implements Disposable {
  readonly name: string;

  /** @param addresses with prefix length; on the loopback interface, for not every kernel has dummy ones */
  constructor(addresses: readonly string[]) {
    this.name = `rollcall-${process.pid}-${++count}`;
    ip("netns", "add", this.name);
    try {
      ip("-n", this.name, "link", "set", "lo", "up");
      for (const address of addresses) {
        const family = address.includes(":") ? ["nodad"] : [];
        ip("-n", this.name, "addr", "add", address, "dev", "lo", ...family);
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Why there can be none here; undefined where there can. */
  static obstacle(): string | undefined {
    if (process.getuid?.() !== 0) return "only root can make network namespaces";
    if (findProgram("ip") === undefined) return "ip is not installed";
    try {
      new NetworkNamespace(["192.0.2.1/32"])[Symbol.dispose]();
      return undefined;
    } catch (error) {
      return String(error);
    }
  }

  /** What runs a program inside. */
  get prefix(): readonly string[] {
    return [findProgram("ip")!, "netns", "exec", this.name];
  }

  /** Runs a program inside to its end. */
  run(program: string, args: readonly string[], input?: string): ReturnType<typeof run> {
    const [first, ...rest] = [...this.prefix, program, ...args];
    return run(first!, rest, input === undefined ? {} : { input });
  }

  /** Lays a cable to another one, which reaches everything by it. @param here this end's address with prefix length */
  connect(other: NetworkNamespace, here: string, there: string): void {
    const [near, far] = [`v${process.pid}a${++count}`, `v${process.pid}b${count}`];
    ip("-n", this.name, "link", "add", near, "type", "veth", "peer", "name", far, "netns", other.name);
    for (const [{ name }, link, address] of [
      [this, near, here],
      [other, far, there],
    ] as const) {
      // With its broadcast address, which some programs look for.
      ip("-n", name, "addr", "add", address, "brd", "+", "dev", link);
      ip("-n", name, "link", "set", link, "up");
    }
    ip("-n", other.name, "route", "add", "default", "via", here.split("/")[0]!);
  }

  /** Why two cannot be connected here; undefined where they can. */
  static cableObstacle(): string | undefined {
    const obstacle = NetworkNamespace.obstacle();
    if (obstacle !== undefined) return obstacle;
    try {
      using a = new NetworkNamespace([]);
      using b = new NetworkNamespace([]);
      a.connect(b, "192.0.2.1/30", "192.0.2.2/30");
      return undefined;
    } catch (error) {
      return String(error);
    }
  }

  [Symbol.dispose](): void {
    ip("netns", "del", this.name);
  }
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync(findProgram("ip")!, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr.trim()}`);
}
