/** Update rules, requesters and changes of smb.example written as text, for tests of the policy. */
import type { Requester } from "../../src/auth/acl.ts";
import { parseNetwork } from "../../src/auth/acl.ts";
import type { PolicyZone, RrSetChange, RuleScope, UpdateRule } from "../../src/auth/update-rule.ts";
import { parseNamePattern } from "../../src/auth/update-rule.ts";
import { typeFromText } from "../../src/wire/iana/type.ts";
import { Name } from "../../src/wire/name.ts";
import { rr } from "./rr.ts";

const APEX = Name.parse("smb.example");

/** smb.example, served by ns1 and by ns2.dc in it, and by one elsewhere. */
export const POLICY_ZONE: PolicyZone = {
  apex: APEX,
  nameServers: ["ns1.smb.example", "ns2.dc.smb.example", "ns.elsewhere.example"].map((text) =>
    Name.parse(text),
  ),
};

export interface RuleText {
  key?: string;
  principal?: string;
  net?: string;
  names?: string[];
  types?: string[];
  scope?: RuleScope;
  udp?: boolean;
  replace?: boolean;
  own?: boolean;
  static?: boolean;
  allow?: boolean;
}

/** Rules as the configuration would have them. */
export function rules(...texts: RuleText[]): UpdateRule[] {
  return texts.map(({ key, net, names, types, allow = true, ...rest }, i) => ({
    index: i + 1,
    allow,
    ...rest,
    ...(key === undefined ? {} : { key: Name.parse(key) }),
    ...(net === undefined ? {} : { net: parseNetwork(net)! }),
    ...(names === undefined ? {} : { names: names.map((text) => parseNamePattern(text, APEX)) }),
    ...(types === undefined ? {} : { types: types.map((text) => typeFromText(text)!) }),
  }));
}

/** `key NAME`, `principal P` or nothing, then `from ADDRESS` and `over tcp`, each of these two optional. */
export function requester(text: string): Requester {
  const [, kind, credential, address = "192.0.2.10", transport = "udp"] =
    /^(?:(key|principal) (\S+) ?)?(?:from (\S+) ?)?(?:over (udp|tcp))?$/.exec(text)!;
  return {
    address,
    transport: transport as Requester["transport"],
    ...(kind === "key" ? { key: Name.parse(credential!) } : {}),
    ...(kind === "principal" ? { principal: credential! } : {}),
  };
}

/** The change of an RRset: `OWNER TYPE`, then `+VALUE` for what comes and `-VALUE` for what goes, commas for blanks. */
export function change(text: string): RrSetChange {
  const [owner, type, ...values] = text.split(" ");
  const of = (sign: string): { rdata: Uint8Array }[] =>
    values
      .filter((value) => value.startsWith(sign))
      .map((value) => rr(`x 60 ${type} ${value.slice(1).replaceAll(",", " ")}`));
  return {
    name: owner === "@" ? APEX : Name.parse(owner!, owner!.endsWith("arpa") ? Name.root : APEX),
    type: typeFromText(type!)!,
    added: of("+"),
    removed: of("-"),
  };
}
