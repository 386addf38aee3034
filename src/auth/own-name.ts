/**
 * Whose name is whose: the host that a requester proves to be, for the scopes `self` and `self-sub`.
 *
 * | the request is signed by                   | own name in the zone smb.example                        |
 * |--------------------------------------------|---------------------------------------------------------|
 * | key `node1.smb.example`                    | node1.smb.example: the key's name, where it is below the apex |
 * | principal `NODE1$@REALM`                   | node1.smb.example: what precedes the `$`, below the apex |
 * | principal `host/node1.smb.example@REALM`   | node1.smb.example: the instance, where it is below the apex |
 * | anything else                              | none                                                    |
 *
 * BIND derives `node1.realm` from a machine account (`ms-self`); taken below the apex instead, the zone need not be named
 * like the realm. Two realms could hold machines of one name, and so the rule's `principal` names the one that is meant.
 */
import { Name } from "../wire/name.ts";
import type { Requester } from "./acl.ts";
import { splitPrincipal } from "./principal.ts";

/** The name of the host that a requester is, in the zone of this apex; undefined where it is none of that zone. */
export function ownName(requester: Requester, apex: Name): Name | undefined {
  const { key, principal } = requester;
  if (principal !== undefined) return machineName(principal, apex);
  return key?.isBelow(apex) === true ? key : undefined;
}

/**
 * Letters, digits, hyphens and underscores: what machine accounts and hosts are named with. No host's label begins with an
 * underscore (RFC 8552 §1.1): a machine joined as `_TCP` would have `_ldap._tcp` below its own name.
 */
const ACCOUNT = /^([A-Z0-9-][A-Z0-9_-]{0,62})\$$/i;
const SERVICE = /^host\/((?!.*\._)(?!_)[A-Z0-9_.-]{1,253})$/i;

function machineName(principal: string, apex: Name): Name | undefined {
  const { local, realm } = splitPrincipal(principal);
  if (realm === "") return undefined;
  const account = ACCOUNT.exec(local)?.[1];
  const host = SERVICE.exec(local)?.[1];
  try {
    if (account !== undefined) return Name.parse(account.toLowerCase(), apex);
    const name = host === undefined ? undefined : Name.parse(host.toLowerCase());
    return name?.isBelow(apex) === true ? name : undefined;
  } catch {
    // No host has such a name: an empty or overlong label, or too many of them.
    return undefined;
  }
}
