/** Where things lie within the data directory. */
import { statSync } from "node:fs";
import { join } from "node:path";

/** Longest path of a Unix socket, in octets: `sun_path` without its final zero (Linux; elsewhere 4 less). */
export const MAX_SOCKET_PATH: number = process.platform === "linux" ? 107 : 103;

/** The control socket of a data directory. */
export function controlSocketPath(data: string): string {
  return join(data, "control.sock");
}

/** Where the Kerberos library notes the authenticators it has seen, so that none is good twice. */
export function replayCachePath(data: string): string {
  return join(data, "kerberos.replays");
}

/** Whether something is at a path. */
export function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
