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

  [Symbol.dispose](): void {
    ip("netns", "del", this.name);
  }
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync(findProgram("ip")!, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr.trim()}`);
}
