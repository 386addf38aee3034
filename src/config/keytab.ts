/** Reads the keytab that `[gss]` names, as far as an operator wants to know of it before the Kerberos library does. */
import { resolve } from "node:path";
import { readKeytab } from "../auth/gss/keytab.ts";
import type { KeytabEntry } from "../auth/gss/keytab.ts";
import type { GssConfig } from "./config.ts";
import { Mistake } from "./mistake.ts";
import type { ProblemCollector } from "./mistake.ts";
import type { SecretFileKind } from "./secret-file.ts";
import { readSecretFile } from "./secret-file.ts";

/** A group may read a keytab, as Samba's installation sets it up. */
const KEYTAB: SecretFileKind = {
  name: "keytab",
  code: "CONFIG_KEYTAB",
  forbidden: 0o037,
  exposed: "others may read or change the keys in it",
  missingAdvice: () => "Paths are relative to the configuration file.",
  deniedAdvice: "Let the server's user own it, or its group read it.",
};
/** Principals that a message lists. */
const MAX_LISTED = 5;

/** What `[gss]` says, before its keytab was read. */
export interface GssTable {
  readonly keytab: string;
  readonly principal?: string | undefined;
  readonly contexts: number;
  readonly contexts_per_address: number;
  readonly negotiations_per_second: number;
  readonly negotiations_per_address: number;
}

/**
 * Reads the keytab; its mistakes go to `problems`.
 * @param folder what a relative path is relative to
 */
export function loadGss(folder: string, table: GssTable, problems: ProblemCollector): GssConfig | undefined {
  const keytab = resolve(folder, table.keytab);
  const keys = usableKeys(keytab, table.principal);
  if (keys instanceof Mistake) {
    problems.add(["gss", "keytab"], keys);
    return undefined;
  }
  if (keys.every(({ encryption }) => encryption === "rc4-hmac")) {
    const weak = new Mistake(
      "CONFIG_KEYTAB",
      `the keytab ${keytab} has keys of RC4 only, which Kerberos libraries refuse from MIT 1.21 on`,
      "Let the account use AES (on Samba: net ads enctypes set ACCOUNT 24), then export the keytab anew.",
    );
    problems.add(["gss", "keytab"], weak, "value", "warning");
  }
  if (table.principal === undefined && !keys.some(({ principal }) => /^DNS\//i.test(principal))) {
    const others = new Mistake(
      "CONFIG_KEYTAB",
      `the keytab ${keytab} has no key of a principal DNS/…, and hosts ask for tickets of that alone`,
      `It has keys of ${principalsOf(keys)}: export that of DNS/ and the first name of the zone's SOA, DNS/ns1.smb.example say.`,
    );
    problems.add(["gss", "keytab"], others, "value", "warning");
  }
  return {
    keytab,
    ...(table.principal === undefined ? {} : { principal: table.principal }),
    keys,
    contexts: table.contexts,
    contextsPerAddress: table.contexts_per_address,
    negotiationsPerSecond: table.negotiations_per_second,
    negotiationsPerAddress: table.negotiations_per_address,
  };
}

function usableKeys(file: string, principal: string | undefined): readonly KeytabEntry[] | Mistake {
  const bytes = readSecretFile(file, KEYTAB);
  if (bytes instanceof Mistake) return bytes;
  const keys = readKeytab(bytes);
  const advice =
    "Export it anew: ktpass on Windows, samba-tool domain exportkeytab on Samba, kadmin ktadd on MIT Kerberos.";
  if (typeof keys === "string")
    return new Mistake("CONFIG_KEYTAB", `the keytab ${file} cannot be used: ${keys}`, advice);
  if (keys.length === 0) return new Mistake("CONFIG_KEYTAB", `the keytab ${file} has no keys`, advice);
  if (principal === undefined) return keys;
  const own = keys.filter((key) => key.principal === principal);
  if (own.length > 0) return own;
  return new Mistake(
    "CONFIG_KEYTAB",
    `the keytab ${file} has no key of ${principal}`,
    `It has keys of ${principalsOf(keys)}: set principal to one of them, or leave it out.`,
  );
}

function principalsOf(keys: readonly KeytabEntry[]): string {
  const all = [...new Set(keys.map((key) => key.principal))];
  return `${all.slice(0, MAX_LISTED).join(", ")}${all.length > MAX_LISTED ? " …" : ""}`;
}
