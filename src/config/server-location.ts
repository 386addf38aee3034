/**
 * What commands must know of a configuration without judging the rest of it: they are to reach a running server even when
 * the file has mistakes or the key files are not the caller's to read.
 */
import { dirname, resolve } from "node:path";
import { listenText } from "./leaf.ts";
import { Mistake } from "./mistake.ts";
import type { SocketAddressText } from "./quantity.ts";
import { listAt, readToml } from "./toml.ts";

/**
 * The data directory of a configuration.
 * @returns its absolute path, or why it cannot be told
 */
export function dataDirectoryOf(path: string): string | Mistake {
  const read = readToml(path);
  if ("problem" in read) {
    const { code, message, advice, line } = read.problem;
    return new Mistake(
      code as Mistake["code"],
      line === undefined ? message : `${path}:${line}: ${message}`,
      advice,
    );
  }
  const data = read.table["data"];
  if (typeof data === "string" && data !== "") return resolve(dirname(resolve(path)), data);
  return new Mistake(
    "CONFIG_MISSING",
    `${path} does not say which directory holds the data`,
    `Add: data = "data"`,
  );
}

/** The first address that the configuration listens on, as one on the same machine reaches it. */
export function listenAddressOf(path: string): SocketAddressText | Mistake {
  const read = readToml(path);
  if ("problem" in read) return new Mistake(read.problem.code as Mistake["code"], read.problem.message);
  const [first] = listAt(read.table, "listen");
  const listen = typeof first === "string" ? listenText(first) : undefined;
  if (listen === undefined)
    return new Mistake("CONFIG_MISSING", `${path} does not say where the server listens`);
  if (listen instanceof Mistake) return listen;
  const loopback: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  return { address: loopback[listen.address] ?? listen.address, port: listen.port };
}
