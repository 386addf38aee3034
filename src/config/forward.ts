/** Names beyond the zones: which other servers are asked about them and for whom, and which are answered as empty. */
import { networkInterfaces } from "node:os";
import { Name } from "../wire/name.ts";
import { LOCALLY_SERVED } from "../zone/locally-served.ts";
import type { ForwardConfig, ListenAddress } from "./config.ts";
import { shown } from "./leaf.ts";
import { Mistake } from "./mistake.ts";
import type { ProblemCollector } from "./mistake.ts";
import { socketAddressToText } from "./quantity.ts";
import type { SocketAddressText } from "./quantity.ts";
import { ForwardSchema } from "./schema.ts";
import type { Unknown } from "./schema.ts";

/** What forwards are judged against. */
interface Surroundings {
  readonly listen: readonly ListenAddress[];
  readonly zones: readonly { readonly apex: Name }[];
  readonly unknown: Unknown;
}

/** Reads all `[[forward]]`; those with a mistake are left out. */
export function readForwards(
  entries: readonly unknown[],
  problems: ProblemCollector,
  around: Surroundings,
): ForwardConfig[] {
  const seen = new Map<string, string>();
  const forwards = entries.flatMap((entry, index) => {
    const path = ["forward", index];
    const read = problems.read(ForwardSchema, entry, path);
    if (read === undefined) return [];
    const suffixes = read.names ?? [Name.root];
    suffixes.forEach((suffix, i) => {
      const at = read.names === undefined ? path : [...path, "names", i];
      const first = seen.get(suffix.key);
      if (first !== undefined) problems.add(at, new Mistake("CONFIG_DUPLICATE", first));
      const what = suffix.isRoot ? "what has no other forward" : shown(suffix);
      seen.set(suffix.key, `${what} is forwarded twice: list all of its upstreams in one [[forward]]`);
      const zone = around.zones.find(({ apex }) => suffix.isWithin(apex));
      if (zone !== undefined) problems.add(at, answeredHere(suffix, zone.apex));
    });
    read.clients.forEach((network, i) => {
      // By its length: ::ffff:0:0/96 is all of IPv4 (RFC 4291 §2.5.5.2).
      if (network.length === 0) problems.add([...path, "clients", i], openResolver(network.text));
    });
    const told = new Set<string>();
    read.upstreams.forEach((upstream, i) => {
      const at = [...path, "upstreams", i];
      const text = socketAddressToText(upstream);
      if (told.has(text)) {
        problems.add(
          at,
          new Mistake("CONFIG_DUPLICATE", `the upstream ${text} is listed twice`, "Remove one."),
        );
      }
      told.add(text);
      if (around.listen.some((listen) => isOwn(upstream, listen))) problems.add(at, ownAddress(text));
    });
    return [
      { suffixes, upstreams: read.upstreams, clients: read.clients, randomizeCase: read.randomize_case },
    ];
  });
  if (around.unknown === "nxdomain" && seen.has(Name.root.key)) {
    const message =
      "no name is unknown: a [[forward]] without names, or with the root among them, forwards all";
    problems.add(["unknown"], new Mistake("CONFIG_FORWARD", message, `Take out unknown = "nxdomain".`));
  }
  return forwards;
}

function answeredHere(suffix: Name, apex: Name): Mistake {
  return new Mistake(
    "CONFIG_FORWARD",
    `nothing of ${shown(suffix)} would be forwarded: it is within the zone ${shown(apex)}, which is answered from here`,
    "Take the name out. Resolvers follow a delegation in the zone; hosts that ask here do not.",
  );
}

function openResolver(network: string): Mistake {
  return new Mistake(
    "CONFIG_FORWARD",
    `"${network}" is everybody: an open resolver lends itself to attacks on others`,
    `List the networks that the clients are in, e.g. "10.0.0.0/8".`,
  );
}

function ownAddress(text: string): Mistake {
  return new Mistake(
    "CONFIG_FORWARD",
    `${text} is this server itself: queries would go round in circles`,
    "Name another server, or another port of this machine.",
  );
}

/** Whether queries sent there come back to where this server listens, as far as it can be told. */
function isOwn({ address, port }: SocketAddressText, listen: ListenAddress): boolean {
  if (listen.port !== port) return false;
  if (listen.address === address) return true;
  if (listen.address !== "0.0.0.0" && listen.address !== "::") return false;
  if (address.includes(":") !== listen.address.includes(":")) return false;
  const local = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return address.startsWith("127.") || local.some((own) => own.address === address);
}

/**
 * Apexes of the zones that are served empty wherever no zone and no forward is. The automatic ones come by themselves
 * where clients send all their questions here.
 * @param wanted `empty_zones`, where it is given
 */
export function emptyZoneApexes(
  wanted: boolean | undefined,
  suffixes: readonly Name[],
  unknown: Unknown,
  forwards: readonly ForwardConfig[],
): readonly Name[] {
  const automatic = wanted ?? (unknown === "nxdomain" || forwards.length > 0);
  return [
    ...(automatic ? LOCALLY_SERVED : []),
    ...suffixes,
    // An empty zone at the root says of every other name that there is none.
    ...(unknown === "nxdomain" ? [Name.root] : []),
  ];
}
