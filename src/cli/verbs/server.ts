/** `rollcall status`, `reload` and `stop`: the running server as a whole. */
import type { Command } from "commander";
import { durationToText, sizeToText } from "../../config/quantity.ts";
import type { ServerStatus, ZoneStatus } from "../../control/verbs.ts";
import { ask, withServer } from "../command.ts";
import type { ServerOptions } from "../command.ts";
import { Exit, harmless, paint, print, printError, printJson, printProblems } from "../output.ts";
import { pairs, table } from "../table.ts";
import { agoToText, instantToText } from "../time.ts";

export function addServerCommands(program: Command, setExit: (code: number) => void): void {
  const status = program
    .command("status")
    .description("show the server, its zones and where its secondaries have got to");
  withServer(status, ["rollcall status", "rollcall status --json | jq .zones"]).action(
    async (options: ServerOptions) => {
      const result = await ask(options, "status", {});
      await (options.json === true ? printJson(result) : print(statusText(result, Date.now())));
    },
  );

  const reload = program
    .command("reload")
    .description("read the configuration again; a bad one changes nothing");
  withServer(reload, ["rollcall config check && rollcall reload"]).action(async (options: ServerOptions) => {
    const report = await ask(options, "reload", {});
    if (options.json === true) {
      await printJson(report);
    } else {
      printProblems(report.problems);
      for (const change of report.changes) await print(`${harmless(change)}\n`);
      if (report.ok)
        await print(report.changes.length === 0 ? "Reloaded: nothing has changed.\n" : "Reloaded.\n");
      else printError("rollcall: the new configuration has mistakes, and the old one runs on");
    }
    if (!report.ok) setExit(Exit.FAILED);
  });

  const stop = program.command("stop").description("stop the server; what it acknowledged is kept");
  withServer(stop, ["rollcall stop"]).action(async (options: ServerOptions) => {
    const result = await ask(options, "stop", {});
    await (options.json === true ? printJson(result) : print(`Process ${result.pid} is stopping.\n`));
  });
}

function statusText(status: ServerStatus, now: number): string {
  const { zones } = status;
  const head = pairs([
    ["Rollcall", `${status.version}, process ${status.pid}`],
    [
      "Running",
      `${durationToText(Math.floor((now - status.startedAt) / 1000) * 1000)}, since ${instantToText(status.startedAt)}`,
    ],
    ["Listening", status.listen.join(", ") || "nowhere"],
    ...(status.netbios === undefined ? [] : [["NetBIOS", status.netbios.join(", ")] as [string, string]]),
    ["UDP by", status.udp],
    ["Configuration", status.config],
    ["Data", status.data],
    ["Memory", sizeToText(status.memory)],
    ...gssPair(status),
    ...reloadPair(status, now),
    ...beyondPairs(status),
    ...Object.entries(status.counters)
      .filter(([, value]) => value !== 0)
      .map(([name, value]): [string, string] => [name, value.toLocaleString("en-GB")]),
  ]);
  const upstreams = upstreamTable(status);
  if (zones.length === 0) return `${head}\nNo zones.\n${upstreams}`;
  const zoneTable = table(
    [
      { title: "ZONE" },
      { title: "SERIAL", right: true },
      { title: "RECORDS", right: true },
      { title: "STATE" },
      { title: "CHANGED" },
    ],
    zones.map((zone) => [
      zone.name,
      String(zone.serial),
      String(zone.records),
      zoneState(zone),
      changedText(zone, now),
    ]),
  );
  const secondaries = zones.flatMap((zone) =>
    zone.secondaries.map((secondary) => [
      zone.name,
      secondary.address,
      secondary.serial === undefined ? "-" : String(secondary.serial),
      harmless(secondary.state),
      secondary.at === undefined ? "never" : agoToText(secondary.at, now),
    ]),
  );
  if (secondaries.length === 0) return `${head}\n${zoneTable}${upstreams}`;
  const columns = [
    { title: "ZONE" },
    { title: "SECONDARY" },
    { title: "SERIAL", right: true },
    { title: "STATE" },
    { title: "SEEN" },
  ];
  return `${head}\n${zoneTable}\n${table(columns, secondaries)}${upstreams}`;
}

/** What is answered beyond the zones. */
function beyondPairs({ emptyZones, forward }: ServerStatus): [string, string][] {
  const lines: [string, string][] = [];
  if (emptyZones !== undefined) lines.push(["Empty zones", String(emptyZones)]);
  if (forward !== undefined) {
    const { entries, size, limit } = forward.cache;
    lines.push(["Cache", `${entries} answers, ${sizeToText(size)} of ${sizeToText(limit)}`]);
  }
  return lines;
}

function upstreamTable({ forward }: ServerStatus): string {
  if (forward === undefined) return "";
  const columns = [
    { title: "UPSTREAM" },
    { title: "STATE" },
    { title: "ROUND TRIP", right: true },
    { title: "ASKED", right: true },
    { title: "ANSWERED", right: true },
    { title: "FOR" },
  ];
  const rows = forward.upstreams.map((upstream) => [
    upstream.address,
    harmless(upstream.state === "down" ? `down: ${upstream.lastFailure}` : upstream.state),
    upstream.roundTrip === undefined ? "-" : `${upstream.roundTrip} ms`,
    String(upstream.sent),
    String(upstream.answered),
    upstream.names.map((name) => (name === "." ? "everything else" : name)).join(", "),
  ]);
  return `\n${table(columns, rows)}`;
}

function gssPair({ gss }: ServerStatus): [string, string][] {
  return gss === undefined ? [] : [["GSS-TSIG", `by the keys of ${harmless(gss.principals.join(", "))}`]];
}

function reloadPair({ lastReload }: ServerStatus, now: number): [string, string][] {
  if (lastReload === undefined) return [];
  const outcome = lastReload.ok ? "done" : paint("red", "refused: the configuration has mistakes");
  return [["Last reload", `${outcome}, ${agoToText(lastReload.at, now)}`]];
}

/** One or two words on a zone. */
export function zoneState(zone: Pick<ZoneStatus, "served" | "dynamic" | "fault">): string {
  if (zone.fault !== undefined) return "damaged";
  if (!zone.served) return "not served";
  return zone.dynamic ? "dynamic" : "read-only";
}

export function changedText(zone: Pick<ZoneStatus, "changedAt" | "fault">, now: number): string {
  if (zone.fault !== undefined) return harmless(zone.fault);
  return zone.changedAt === undefined ? "-" : agoToText(zone.changedAt, now);
}
