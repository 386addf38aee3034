/** Whose a name is, for rules that ask it: those with `own = true` or `scope = "source"`. Only a running server knows. */
import type { Requester } from "../auth/acl.ts";
import { plainAddress } from "../auth/acl.ts";
import { lowerCase, samePrincipal } from "../auth/principal.ts";
import { ControlError } from "../control/protocol.ts";
import type { OwnerJson } from "../control/verbs.ts";
import type { Name } from "../wire/name.ts";
import { ask, operatorName } from "./command.ts";
import type { ServerOptions } from "./command.ts";

/** `the operator`: nobody's, and with records that no update made, so that nobody can claim it. */
export type KnownOwner = OwnerJson["owner"] | "nobody" | "the operator" | "not known";

export interface KnownName {
  readonly owner: KnownOwner;
  /** Whether it has a record that no update made; undefined where no server tells. */
  readonly isStatic: boolean | undefined;
}

export async function askOfName(options: ServerOptions, zone: Name, name: Name): Promise<KnownName> {
  const owners: OwnerJson[] = [];
  const onData = (part: unknown): void => void owners.push(...(part as OwnerJson[]));
  try {
    const args = { zone: zone.toString(), name: name.toString(), actor: operatorName() };
    const { static: isStatic = false } = await ask(options, "zone.owner", args, { onData });
    return { owner: owners[0]?.owner ?? (isStatic ? "the operator" : "nobody"), isStatic };
  } catch (error) {
    if (error instanceof ControlError) return { owner: "not known", isStatic: undefined };
    throw error;
  }
}

/** Whether a requester is the owner: by its principal, else its key, else its address. */
export function isOwner(owner: OwnerJson["owner"], { principal, key, address }: Requester): boolean {
  if (principal !== undefined) return owner.kind === "principal" && samePrincipal(owner.name, principal);
  if (key !== undefined) return owner.kind === "key" && lowerCase(owner.name) === lowerCase(key.toString());
  return owner.kind === "address" && owner.name === plainAddress(address);
}
