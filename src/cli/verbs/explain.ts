/** `rollcall explain update`: which rule would decide on an update and why, without sending one. */
import { isIP } from "node:net";
import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import type { Requester } from "../../auth/acl.ts";
import { addressOctets } from "../../auth/acl.ts";
import { explainUpdate } from "../../auth/policy.ts";
import type { PolicyZone, RrSetChange, UpdateRule } from "../../auth/update-rule.ts";
import { shortName, takesUdp } from "../../auth/update-rule.ts";
import type { Config, ZoneConfig } from "../../config/config.ts";
import { zoneConfigOf } from "../../config/config.ts";
import { loadConfig } from "../../config/load.ts";
import { didYouMean } from "../../config/suggest.ts";
import { RrType, typeFromText, typeToText } from "../../wire/iana/type.ts";
import { Name } from "../../wire/name.ts";
import { rdataFromText, rdataToText } from "../../wire/rdata/rdata.ts";
import type { TextField } from "../../wire/rdata/text.ts";
import { RdataSyntaxError } from "../../wire/rdata/text.ts";
import { nameArgument, ownerArgument, typeArgument, usageError, withServer } from "../command.ts";
import type { ServerOptions } from "../command.ts";
import { askOfName, isOwner } from "../name-owner.ts";
import type { KnownOwner } from "../name-owner.ts";
import { nameServersOf } from "../name-servers.ts";
import { CommandError, Exit, harmless, paint, print, printJson } from "../output.ts";
import { table } from "../table.ts";

interface ExplainOptions extends ServerOptions {
  readonly zone: string;
  readonly name: string;
  readonly type: string;
  readonly key?: string;
  readonly principal?: string;
  readonly from?: string;
  readonly tcp?: true;
  readonly value?: string;
  readonly delete?: true;
}

export function addExplain(program: Command, setExit: (code: number) => void): void {
  const explain = program.command("explain").description("tell what would be decided, and why");
  const update = explain
    .command("update")
    .description("tell which rule decides on an update and why, without sending one")
    .requiredOption("--zone <zone>", "zone to be updated", nameArgument)
    .requiredOption("--name <owner>", "owner name to be changed")
    .requiredOption("--type <type>", "record type to be changed", typeArgument)
    .addOption(
      new Option("--key <name>", "TSIG key that signs the update")
        .argParser(nameArgument)
        .conflicts("principal"),
    )
    .option("--principal <principal>", "Kerberos principal that signs the update, e.g. NODE1$@SMB.EXAMPLE")
    .option("--from <address>", "address that the update comes from", addressArgument)
    .addOption(
      new Option("--udp", "it comes over UDP, as hosts and nsupdate send it (default)").conflicts("tcp"),
    )
    .option("--tcp", "it comes over TCP")
    .option(
      "--value <data>",
      "record data, e.g. 192.0.2.10 (default: the sender's address, where the type has one)",
    )
    .option("--delete", "the record is taken away, not added");
  withServer(update, [
    "rollcall explain update --zone smb.example --name node1 --type A --key dhcp.smb.example",
    "rollcall explain update --zone smb.example --name node1 --type A --from 192.0.2.10 --tcp",
    "rollcall explain update --zone smb.example --name node1 --type A --principal 'NODE1$@SMB.EXAMPLE' --json",
  ]).action(async (options: ExplainOptions) => setExit(await explainCommand(options)));
}

async function explainCommand(options: ExplainOptions): Promise<number> {
  if (options.key === undefined && options.principal === undefined && options.from === undefined) {
    throw usageError(
      "who sends the update is not said",
      "Add --key NAME, --principal PRINCIPAL or --from ADDRESS.",
    );
  }
  const { config, problems } = loadConfig(options.config);
  if (config === undefined) {
    throw new CommandError("CONFIG_VALUE", "the configuration has mistakes", { problems });
  }
  const { apex, update: rules } = zoneOf(config, options);
  const requester = requesterOf(config, options);
  const change = changeOf(options, requester, apex);
  const servers = await nameServersOf(options, config, apex);
  const asksName = rules.some(({ own, scope }) => own === true || scope === "source");
  const known = asksName ? await askOfName(options, apex, change.name) : undefined;
  const zone: PolicyZone = {
    apex,
    nameServers: servers.names,
    hasStatic: () => known?.isStatic === true,
  };
  const { decision, considered } = explainUpdate(rules, requester, zone, change);
  const { rule } = decision;
  const owner = decision.allow && rule?.own === true ? known?.owner : undefined;
  const isTaken = owner === "the operator" || (typeof owner === "object" && !isOwner(owner, requester));
  const allow = decision.allow && !isTaken;
  const reason = isTaken ? `${shortName(change.name)} belongs to ${ownerText(owner)}` : decision.reason;
  const [record] = [...change.added, ...change.removed];
  const value = record && rdataToText(change.type, record.rdata);
  const looked = rules.map((each, i) => {
    const found = considered[i];
    const result = found === undefined ? "not reached" : found.miss === undefined ? "decides" : "no match";
    return { rule: each, result, why: found?.miss ?? (found && `${each.allow ? "allows" : "denies"} it`) };
  });
  if (options.json === true) {
    await printJson({
      allowed: allow,
      ...(rule === undefined ? {} : { rule: rule.index }),
      reason,
      zone: apex,
      name: change.name,
      type: typeToText(change.type),
      change: options.delete === true ? "delete" : "add",
      ...(value === undefined ? {} : { value }),
      requester: { ...requester, address: options.from ?? null },
      rules: looked.map((each) => ({
        rule: each.rule.index,
        says: ruleText(each.rule),
        result: each.result,
        ...(each.why === undefined ? {} : { why: each.why }),
      })),
      nameServers: servers,
      ...(owner === undefined ? {} : { owner }),
    });
  } else {
    await print(`${allow ? paint("green", "ALLOWED") : paint("red", "REFUSED")}: ${harmless(reason)}\n`);
    const data = value === undefined ? "" : ` ${value}`;
    const verb = options.delete === true ? "deletes" : "adds";
    await print(
      `${harmless(senderText(options, requester))} ${verb} ${change.name.toString()} ${typeToText(change.type)}${data}\n`,
    );
    if (servers.from === "nowhere") {
      await print(
        "The name servers of the zone are not known here: neither a server nor the zone file tells.\n",
      );
    }
    if (rule?.scope === "source" && owner === undefined && known?.isStatic === undefined) {
      await print(
        "Whether the name has records of the operator is not known here, because no server answers.\n",
      );
    }
    if (owner !== undefined && !isTaken) {
      await print(`Rule ${rule!.index} asks whose name it is: ${harmless(ownerText(owner))}.\n`);
    }
    if (looked.length > 0) {
      const rows = looked.map(({ rule: each, result, why }) => [
        String(each.index),
        harmless(ruleText(each)),
        harmless(why === undefined ? result : `${result}: ${why}`),
      ]);
      await print(
        `\n${table([{ title: "RULE", right: true }, { title: "SAYS" }, { title: "RESULT" }], rows)}`,
      );
    }
  }
  return allow ? Exit.DONE : Exit.FAILED;
}

function zoneOf(config: Config, { zone }: ExplainOptions): ZoneConfig {
  const found = zoneConfigOf(config, Name.parse(zone));
  if (found !== undefined) return found;
  const known = config.zones.map(({ apex }) => apex.toString());
  throw new CommandError("ZONE_UNKNOWN", `the configuration has no zone ${zone}`, {
    advice: didYouMean(zone, known),
  });
}

function requesterOf(config: Config, { key, principal, from, tcp }: ExplainOptions): Requester {
  const name = key === undefined ? undefined : Name.parse(key);
  if (name !== undefined && !config.keys.has(name.key)) {
    const known = [...config.keys.values()].map((each) => shortName(each.name));
    const message = `no key file holds a key named ${shortName(name)}: its updates are answered BADKEY`;
    throw new CommandError("CONFIG_KEY_UNKNOWN", message, { advice: didYouMean(shortName(name), known) });
  }
  return {
    // No network holds an address that is not said.
    address: from ?? "",
    transport: tcp === true ? "tcp" : "udp",
    ...(name === undefined ? {} : { key: name }),
    ...(principal === undefined ? {} : { principal }),
  };
}

function changeOf(options: ExplainOptions, requester: Requester, apex: Name): RrSetChange {
  const name = Name.parse(ownerArgument(options.name, apex));
  const type = typeFromText(options.type)!;
  const rdata =
    options.value === undefined ? ownAddress(type, requester) : readValue(type, options.value, apex);
  const records = rdata === undefined ? [] : [{ rdata }];
  return {
    name,
    type,
    added: options.delete === true ? [] : records,
    removed: options.delete === true ? records : [],
  };
}

/** What a host registers where nothing else is said. */
function ownAddress(type: number, { address }: Requester): Uint8Array | undefined {
  const octets = addressOctets(address);
  const length = type === RrType.A ? 4 : type === RrType.AAAA ? 16 : undefined;
  return octets?.length === length ? octets : undefined;
}

function readValue(type: number, text: string, origin: Name): Uint8Array {
  const fields: TextField[] = (text.match(/"[^"]*"|\S+/g) ?? []).map((field) =>
    field.startsWith('"') ? { text: field.slice(1, -1), quoted: true } : { text: field, quoted: false },
  );
  let at = 0;
  try {
    return rdataFromText(type, { origin, next: () => fields[at++], peek: () => fields[at] });
  } catch (error) {
    if (!(error instanceof RdataSyntaxError)) throw error;
    throw usageError(`"${text}" is no data of type ${typeToText(type)}: ${error.message}`);
  }
}

function senderText({ from, key, principal }: ExplainOptions, { transport }: Requester): string {
  const who = principal ?? (key === undefined ? "an unsigned update" : `key ${key}`);
  return `${who}${from === undefined ? "" : ` from ${from}`} over ${transport.toUpperCase()}`;
}

function ownerText(owner: KnownOwner): string {
  switch (owner) {
    case "nobody":
      return "nobody's, and can be had";
    case "the operator":
      return "the operator: it has records that no client registered";
    case "not known":
      return "that is not known here, because no server answers";
    default:
      return `${owner.kind} ${owner.name}`;
  }
}

/** A rule on one line, much as the configuration has it. */
function ruleText(rule: UpdateRule): string {
  const { key, principal, net, names, types, scope, replace, own } = rule;
  const parts = [
    rule.allow ? "allow" : "deny",
    key && `key ${shortName(key)}`,
    principal && `principal ${principal}`,
    net && `net ${net.text}`,
    scope && `scope ${scope}`,
    replace === true && "replace",
    own === true && "own",
    rule.static === true && "static",
    !takesUdp(rule) && "TCP only",
    names && `names ${names.map(({ text }) => text).join(" ")}`,
    types && `types ${types.map(typeToText).join(" ")}`,
  ];
  return parts.filter((part) => typeof part === "string").join(", ");
}

function addressArgument(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError(`"${text}" is not a numeric address.`);
  return text;
}
