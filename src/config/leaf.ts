/** What single texts of the configuration mean, and what is said of those that mean nothing. */
import { networkProblem, parseNetwork } from "../auth/acl.ts";
import type { Network } from "../auth/acl.ts";
import { isPrincipalPattern } from "../auth/principal.ts";
import { RULE_SCOPES, parseNamePattern } from "../auth/update-rule.ts";
import type { NamePattern, RuleScope } from "../auth/update-rule.ts";
import { RrType, isMetaType, typeFromText, typeToText } from "../wire/iana/type.ts";
import { Name, NameSyntaxError } from "../wire/name.ts";
import { LOG_LEVELS } from "./config.ts";
import type { ListenAddress, LogLevel } from "./config.ts";
import { Mistake } from "./mistake.ts";
import { durationToText, parseDuration, parseSize, parseSocketAddress, sizeToText } from "./quantity.ts";
import type { SocketAddressText } from "./quantity.ts";
import { didYouMean, nearest } from "./suggest.ts";

/** The port of DNS (RFC 1035 §4.2). */
const DNS_PORT = 53;

export function listenText(text: string): ListenAddress | Mistake {
  const read = parseSocketAddress(text, DNS_PORT);
  if (typeof read !== "string") return { ...read, text };
  return new Mistake(
    "CONFIG_ADDRESS",
    read,
    `Write 192.0.2.1:53 or [2001:db8::1]:53; 0.0.0.0 and [::] stand for every address of the machine.`,
  );
}

/** The port of the NetBIOS name service (RFC 1002 §6). */
const NETBIOS_PORT = 137;
const IPV4_ALONE = "NetBIOS names are asked for over IPv4 alone";

export function netbiosListenText(text: string): ListenAddress | Mistake {
  const read = parseSocketAddress(text, NETBIOS_PORT);
  if (typeof read !== "string" && !read.address.includes(":")) return { ...read, text };
  const advice = "Write the machine's address, such as 192.0.2.1: the port is 137 where none is given.";
  return new Mistake("CONFIG_ADDRESS", typeof read === "string" ? read : IPV4_ALONE, advice);
}

export function netbiosClientText(text: string): Network | Mistake {
  const read = networkText(text);
  if (read instanceof Mistake || !text.includes(":")) return read;
  return new Mistake("CONFIG_NETWORK", IPV4_ALONE, "Write networks such as 192.0.2.0/24.");
}

/** The NetBIOS name of a domain, in upper case. */
export function netbiosLabelText(text: string): string | Mistake {
  if (/^[!-~]{1,15}$/.test(text)) return text.toUpperCase();
  const message = `"${text}" is not a NetBIOS name: 1 to 15 ASCII characters without spaces were expected`;
  return new Mistake("CONFIG_NAME", message);
}

export function secondaryText(text: string): SocketAddressText | Mistake {
  const read = parseSocketAddress(text, DNS_PORT);
  if (typeof read === "string") {
    return new Mistake(
      "CONFIG_ADDRESS",
      read,
      "Write the secondary's address: 192.0.2.53, 192.0.2.54:5300 or [2001:db8::1]:5300.",
    );
  }
  if (read.port === 0)
    return new Mistake("CONFIG_ADDRESS", "a secondary cannot have port 0", "Leave the port out for 53.");
  return read;
}

export function upstreamText(text: string): SocketAddressText | Mistake {
  const read = parseSocketAddress(text, DNS_PORT);
  const advice = "Write the server's address: 192.0.2.53, 192.0.2.54:5300 or [2001:db8::1]:5300.";
  if (typeof read === "string") return new Mistake("CONFIG_ADDRESS", read, advice);
  const isNone = read.port === 0 || read.address === "0.0.0.0" || read.address === "::";
  return isNone ? new Mistake("CONFIG_ADDRESS", `nobody can be asked at ${text}`, advice) : read;
}

const UNKNOWN = ["refuse", "nxdomain"] as const;
/** What is said of names that no zone here holds and nobody is asked about. */
export type Unknown = (typeof UNKNOWN)[number];

export function unknownText(text: string): Unknown | Mistake {
  const known = UNKNOWN.find((each) => each === text);
  return known ?? new Mistake("CONFIG_VALUE", `unknown cannot be "${text}"`, didYouMean(text, UNKNOWN));
}

export function nameText(text: string): Name | Mistake {
  try {
    return Name.parse(text);
  } catch (error) {
    if (!(error instanceof NameSyntaxError)) throw error;
    return new Mistake("CONFIG_NAME", `"${text}" is not a domain name: ${error.message}`);
  }
}

export function zoneNameText(text: string): Name | Mistake {
  const name = nameText(text);
  if (name instanceof Mistake || !name.isWildcard) return name;
  return new Mistake(
    "CONFIG_NAME",
    `a zone cannot be named "${text}"`,
    "Name the zone itself; wildcards are records in it.",
  );
}

export function ownerPatternText(apex: Name): (text: string) => NamePattern | Mistake {
  return (text) => {
    try {
      return parseNamePattern(text, apex);
    } catch (error) {
      if (!(error instanceof NameSyntaxError)) throw error;
      return new Mistake(
        "CONFIG_NAME",
        `"${text}" is not a pattern of owner names: ${error.message}`,
        `Write "node1" for one name of the zone, "*.cluster" for all below one, "*" for all below the apex, "@" for the apex.`,
      );
    }
  };
}

/** Which principals a rule is for. @param gss whether any can be told */
export function principalPatternText(gss: boolean): (text: string) => string | Mistake {
  return (text) => {
    if (!isPrincipalPattern(text)) {
      return new Mistake(
        "CONFIG_PRINCIPAL",
        `"${text}" is not a Kerberos principal`,
        `Write "NODE1$@SMB.EXAMPLE", "host/node1.smb.example@SMB.EXAMPLE", or "*$@SMB.EXAMPLE" for every machine.`,
      );
    }
    if (gss) return text;
    return new Mistake(
      "CONFIG_GSS",
      "a principal cannot be told without a keytab, so the rule could never match",
      `Add [gss] with keytab = "…" above the zones; docs/configuration.md says how to make one.`,
    );
  };
}

/** One principal, such as the server's own. */
export function principalNameText(text: string): string | Mistake {
  if (isPrincipalPattern(text) && !text.includes("*")) return text;
  return new Mistake(
    "CONFIG_PRINCIPAL",
    `"${text}" is not a Kerberos principal`,
    `Write "DNS/ns1.smb.example@SMB.EXAMPLE", or leave it out for every key of the keytab.`,
  );
}

export function networkText(text: string): Network | Mistake {
  return (
    parseNetwork(text) ?? new Mistake("CONFIG_NETWORK", networkProblem(text) ?? `"${text}" is not a network`)
  );
}

export function recordTypeText(text: string): number | Mistake {
  const type = typeFromText(text);
  if (type === undefined) {
    const near = nearest(
      text,
      Object.values(RrType)
        .filter((known) => !isMetaType(known))
        .map(typeToText),
    );
    return new Mistake(
      "CONFIG_RECORD_TYPE",
      `"${text}" is not a record type`,
      near === undefined
        ? "Write a mnemonic such as A, SRV or TXT, or TYPE65280 for any other."
        : `Did you mean "${near}"?`,
    );
  }
  if (isMetaType(type) && type !== RrType.ANY) {
    return new Mistake(
      "CONFIG_RECORD_TYPE",
      `no zone holds records of type ${typeToText(type)}`,
      "Leave types out for every type.",
    );
  }
  return type;
}

export function scopeText(text: string): RuleScope | Mistake {
  const scope = RULE_SCOPES.find((known) => known === text);
  return scope ?? new Mistake("CONFIG_VALUE", `"${text}" is not a scope`, didYouMean(text, RULE_SCOPES));
}

export function levelText(text: string): LogLevel | Mistake {
  const level = LOG_LEVELS.find((known) => known === text);
  return level ?? new Mistake("CONFIG_VALUE", `"${text}" is not a log level`, didYouMean(text, LOG_LEVELS));
}

/** Stands for the network that each client is in. */
export const OWN_SUBNET = "subnet";

export function nearText(text: string): Network | typeof OWN_SUBNET | Mistake {
  if (text === OWN_SUBNET) return text;
  const read = networkText(text);
  if (!(read instanceof Mistake)) return read;
  const advice = `Write networks such as 10.1.0.0/16, or "${OWN_SUBNET}" for the network that each client is in.`;
  return new Mistake(read.code, read.message, advice);
}

/** A duration within bounds, in milliseconds. */
export function durationText(least: number, most: number): (text: string) => number | Mistake {
  return (text) => {
    const duration = parseDuration(text);
    if (duration === undefined) {
      return new Mistake(
        "CONFIG_DURATION",
        `"${text}" is not a duration`,
        "Write 500ms, 30s, 5m, 12h, 1h30m, 30d or 4w.",
      );
    }
    if (duration < least)
      return new Mistake("CONFIG_DURATION", `"${text}" is too short: ${durationToText(least)} is the least`);
    if (duration > most)
      return new Mistake("CONFIG_DURATION", `"${text}" is too long: ${durationToText(most)} is the most`);
    return duration;
  };
}

/** A time of day, in minutes after midnight. */
export function timeOfDayText(text: string): number | Mistake {
  const match = /^([01]?[0-9]|2[0-3]):([0-5][0-9])$/.exec(text);
  if (match !== null) return Number(match[1]) * 60 + Number(match[2]);
  return new Mistake(
    "CONFIG_TIME",
    `"${text}" is not a time of day`,
    `Write hours and minutes of the machine's local time: "03:00".`,
  );
}

/** A size within bounds, in octets. */
export function sizeText(least: number, most: number): (text: string) => number | Mistake {
  return (text) => {
    const size = parseSize(text);
    if (size === undefined) {
      return new Mistake(
        "CONFIG_SIZE",
        `"${text}" is not a size`,
        "Write 4096B, 512KiB, 64MiB or 1GiB (or kB, MB, GB).",
      );
    }
    if (size < least)
      return new Mistake("CONFIG_SIZE", `"${text}" is too small: ${sizeToText(least)} is the least`);
    if (size > most)
      return new Mistake("CONFIG_SIZE", `"${text}" is too large: ${sizeToText(most)} is the most`);
    return size;
  };
}

/** A name as people write it, without its final dot. */
export function shown(name: Name): string {
  return name.isRoot ? "." : name.toString().slice(0, -1);
}
