/** Rollcall's version, as package.json says it. */
import { readFileSync } from "node:fs";

const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

/** `0.1.0` */
export const ROLLCALL_VERSION: string = manifest.version;
