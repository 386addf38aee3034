/** `rollcall query`: asks a server one question, to see what clients see. */
import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { Packet } from "dns2";
import { listenAddressOf } from "../../config/server-location.ts";
import { parseSocketAddress, socketAddressToText } from "../../config/quantity.ts";
import type { SocketAddressText } from "../../config/quantity.ts";
import { rcodeToText } from "../../wire/iana/code.ts";
import { typeFromText, typeToText } from "../../wire/iana/type.ts";
import { WireError } from "../../wire/error.ts";
import { rdataToText } from "../../wire/rdata/rdata.ts";
import { typeArgument, withCommon } from "../command.ts";
import type { CommonOptions } from "../command.ts";
import { CommandError, Exit, harmless, paint, print, printJson } from "../output.ts";
import { ProbeError, probe } from "../probe.ts";
import type { ProbeAnswer } from "../probe.ts";

type Resource = Packet["answers"][number];

interface QueryOptions extends CommonOptions {
  readonly server?: SocketAddressText;
  readonly tcp?: true;
  readonly timeout: number;
}

/** A record as `--json` gives it. */
interface AnswerRecord {
  readonly name: string;
  readonly ttl: number;
  readonly type: string;
  readonly data: string;
}

export function addQuery(program: Command, setExit: (code: number) => void): void {
  const command = program
    .command("query")
    .description("ask a server one question, to see what clients see")
    .argument("<name>", "name to ask for, e.g. node1.smb.example", questionArgument)
    .argument("[type]", "record type", typeArgument, "A")
    .option(
      "-s, --server <address>",
      "server to ask (default: the configuration's first listen address)",
      serverArgument,
    )
    .option("--tcp", "ask over TCP")
    .option("--timeout <milliseconds>", "how long to wait", timeoutArgument, 3000);
  withCommon(command, [
    "rollcall query node1.smb.example",
    "rollcall query _ldap._tcp.smb.example SRV --server 192.0.2.53",
    "rollcall query smb.example SOA --server [2001:db8::53]:5300 --tcp --json",
  ]).action(async (name: string, type: string, options: QueryOptions) =>
    setExit(await ask(name, type, options)),
  );
}

async function ask(name: string, type: string, options: QueryOptions): Promise<number> {
  const server = options.server ?? configuredServer(options.config);
  const text = socketAddressToText(server);
  let answer: ProbeAnswer;
  try {
    const { timeout } = options;
    answer = await probe({ server, name, type: typeFromText(type)!, tcp: options.tcp === true, timeout });
  } catch (error) {
    if (!(error instanceof ProbeError)) throw error;
    throw new CommandError("QUERY_UNANSWERED", `${text}: ${error.message}`, {
      advice: "Is the server running, and does it listen on this address?",
      exit: Exit.UNREACHABLE,
    });
  }
  const { header } = answer.packet;
  if (options.json === true) await printJson(answerJson(answer, text));
  else await print(answerText(answer, text));
  return header.rcode === 0 ? Exit.DONE : Exit.FAILED;
}

function answerJson({ packet, transport, elapsed, size }: ProbeAnswer, server: string): object {
  const { header } = packet;
  return {
    server,
    transport,
    milliseconds: Math.round(elapsed * 100) / 100,
    size,
    rcode: rcodeToText(header.rcode),
    authoritative: header.aa === 1,
    truncated: header.tc === 1,
    reasons: reasonsOf(packet),
    answers: packet.answers.map(recordOf),
    authorities: packet.authorities.map(recordOf),
    additionals: packet.additionals.filter(isRecord).map(recordOf),
    undecoded: packet.errors.map((error) => error.message),
  };
}

function answerText({ packet, transport, elapsed, size }: ProbeAnswer, server: string): string {
  const { header } = packet;
  const rcode = rcodeToText(header.rcode);
  const flags = [
    header.aa === 1 ? "authoritative" : "not authoritative",
    ...(header.tc === 1 ? ["truncated"] : []),
  ];
  const took = `${elapsed.toFixed(1)} ms`;
  let text = `${paint(header.rcode === 0 ? "green" : "red", rcode)}, ${flags.join(", ")}; ${server} over ${transport.toUpperCase()}, ${size} octets, ${took}\n`;
  for (const reason of reasonsOf(packet))
    text += `Reason: ${harmless(`${reason.name}${reason.text === "" ? "" : `: ${reason.text}`}`)}\n`;
  const sections: [string, readonly Resource[]][] = [
    ["Answer", packet.answers],
    ["Authority", packet.authorities],
    ["Additional", packet.additionals.filter(isRecord)],
  ];
  for (const [title, records] of sections) {
    if (records.length === 0) continue;
    text += `\n${paint("bold", title)}\n`;
    for (const { name, ttl, type, data } of records.map(recordOf)) {
      text += `${harmless(`${name.padEnd(32)} ${String(ttl).padStart(6)} ${type.padEnd(6)} ${data}`)}\n`;
    }
  }
  for (const error of packet.errors) text += `${paint("red", "Not decoded")}: ${harmless(error.message)}\n`;
  return text;
}

/** The Extended DNS Errors (RFC 8914) of an answer. */
function reasonsOf(
  packet: Packet,
): { readonly code: number; readonly name: string; readonly text: string }[] {
  return packet.additionals
    .filter((record) => !isRecord(record))
    .flatMap((opt) => (opt.rdata ?? []) as { ednsCode: number; infoCode?: number; extraText?: string }[])
    .flatMap(({ ednsCode, infoCode, extraText }) => {
      if (ednsCode !== Packet.EDNS_OPTION_CODE.EDE || infoCode === undefined) return [];
      const name = (Packet.EDE_NAME[infoCode] ?? `EDE ${infoCode}`).toLowerCase().replaceAll("_", " ");
      return [{ code: infoCode, name, text: extraText ?? "" }];
    });
}

/** Whether it is data, and not the OPT pseudo-record. */
function isRecord(record: Resource): boolean {
  return record.type !== Packet.TYPE.EDNS;
}

function recordOf(record: Resource): AnswerRecord {
  return { name: dotted(record.name), ttl: record.ttl, type: typeToText(record.type), data: dataOf(record) };
}

/** Record data in presentation form, from the fields that dns2 found. */
function dataOf(record: Resource): string {
  const { TYPE } = Packet;
  switch (record.type) {
    case TYPE.A:
    case TYPE.AAAA:
      return record.address ?? "";
    case TYPE.NS:
      return dotted(record.ns);
    case TYPE.CNAME:
    case TYPE.PTR:
      return dotted(record.domain);
    case TYPE.MX:
      return `${record.priority} ${dotted(record.exchange)}`;
    case TYPE.SRV:
      return `${record.priority} ${record.weight} ${record.port} ${dotted(record.target)}`;
    case TYPE.SOA: {
      const { primary, admin, serial, refresh, retry, expiration, minimum } = record;
      return `${dotted(primary)} ${dotted(admin)} ${serial} ${refresh} ${retry} ${expiration} ${minimum}`;
    }
    case TYPE.TXT:
    case TYPE.SPF:
      return [record.data ?? []]
        .flat()
        .map((string) => JSON.stringify(String(string)))
        .join(" ");
    case TYPE.CAA:
      return `${record.flags} ${record.tag} ${JSON.stringify(record.value)}`;
    default:
      return otherData(record);
  }
}

/** Data that dns2 left as octets, or took apart in its own way. */
function otherData({ type, data, ...fields }: Resource): string {
  if (!Buffer.isBuffer(data)) {
    const own = Object.entries(fields).filter(([key]) => !["name", "class", "ttl"].includes(key));
    return own.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(" ");
  }
  try {
    return rdataToText(type, data);
  } catch (error) {
    // A name in it may be compressed, which octets alone cannot undo.
    if (!(error instanceof WireError)) throw error;
    return `\\# ${data.length} ${data.toString("hex")}`;
  }
}

function dotted(name: string | undefined): string {
  return name === undefined || name === "" ? "." : `${name}.`;
}

function configuredServer(config: string): SocketAddressText {
  const found = listenAddressOf(config);
  if (!("code" in found)) return found;
  throw new CommandError(found.code, found.message, {
    advice: "Name the server with --server ADDRESS.",
    exit: Exit.USAGE,
  });
}

function questionArgument(text: string): string {
  if (!/^[!-[\]-~]{1,253}$/.test(text) || text.includes("..")) {
    throw new InvalidArgumentError(
      `"${text}" is not a name that can be asked for here (no escapes, no empty labels).`,
    );
  }
  if (text.split(".").some((label) => label.length > 63)) {
    throw new InvalidArgumentError("A label of a name has 63 octets at most.");
  }
  return text;
}

function serverArgument(text: string): SocketAddressText {
  const read = parseSocketAddress(text, 53);
  if (typeof read === "string") throw new InvalidArgumentError(`${read}.`);
  return read;
}

function timeoutArgument(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text))
    throw new InvalidArgumentError(`"${text}" is not a number of milliseconds.`);
  return Number(text);
}
