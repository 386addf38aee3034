import { knotd } from "./knotd.ts";
import { named } from "./named.ts";
import { nsd } from "./nsd.ts";
import { pdns } from "./pdns.ts";
import { rollcall } from "./rollcall.ts";
import type { ServerProgram } from "./server.ts";

/** All servers, Rollcall first. */
export const SERVERS: readonly ServerProgram[] = [rollcall, named, knotd, nsd, pdns];
