/** What a reload changes: two configurations compared. */
import type { Config, GssConfig, ZoneConfig } from "./config.ts";

/** What differs between two configurations, one sentence each, for the operator. */
export function describeChanges(before: Config, after: Config): string[] {
  return [...serverChanges(before, after), ...zoneChanges(before.zones, after.zones)];
}

function serverChanges(before: Config, after: Config): string[] {
  const changes: string[] = [];
  if (differ(before.listen, after.listen)) {
    changes.push(`listening on ${after.listen.map(({ text }) => text).join(", ")}`);
  }
  if (before.log.level !== after.log.level) changes.push(`log level ${after.log.level}`);
  if (before.threads !== after.threads) changes.push("threads takes effect at the next start");
  if (differ(before.server, after.server)) changes.push("identity or version changed");
  if (differ(before.limits, after.limits)) changes.push("limits changed");
  if (differ(before.netbios, after.netbios)) {
    changes.push(
      after.netbios === undefined
        ? "NetBIOS names are not answered any more"
        : `NetBIOS names are answered ${before.netbios === undefined ? "from now on" : "by other settings"}`,
    );
  }
  changes.push(...gssChanges(before.gss, after.gss));
  if (differ([...before.keys], [...after.keys])) {
    changes.push(`keys changed: ${after.keys.size} known from now on`);
  }
  if (differ(before.forwards, after.forwards)) {
    changes.push(`forwards changed: ${after.forwards.length} from now on, and the cache begins anew`);
  }
  if (differ(before.cache, after.cache)) changes.push("cache limits changed");
  if (differ(before.emptyZones, after.emptyZones)) changes.push("other zones are answered as empty");
  return changes;
}

function gssChanges(before: GssConfig | undefined, after: GssConfig | undefined): string[] {
  if (after === undefined) return before === undefined ? [] : ["GSS-TSIG is not taken any more"];
  if (before === undefined) return [`GSS-TSIG is taken from now on: ${keysToText(after)}`];
  const { keys: oldKeys, ...old } = before;
  const { keys: newKeys, ...now } = after;
  const changes: string[] = [];
  if (differ(oldKeys, newKeys)) changes.push(`Kerberos keys changed: ${keysToText(after)}`);
  if (differ(old, now)) changes.push("settings of GSS-TSIG changed");
  return changes;
}

/** The keys' principals with their versions; a handful, and how many more. */
function keysToText({ keys }: GssConfig): string {
  const all = [...new Set(keys.map(({ principal, version }) => `${principal} (version ${version})`))];
  const more = all.length > 4 ? ` and ${all.length - 4} more` : "";
  return `${all.slice(0, 4).join(", ")}${more}`;
}

function zoneChanges(before: readonly ZoneConfig[], after: readonly ZoneConfig[]): string[] {
  const changes: string[] = [];
  const old = new Map(before.map((zone) => [zone.apex.key, zone]));
  for (const zone of after) {
    const name = zone.apex.toString();
    const was = old.get(zone.apex.key);
    old.delete(zone.apex.key);
    if (was === undefined) {
      changes.push(`${name} is served from now on`);
      continue;
    }
    if (differ(was.update, zone.update)) changes.push(`${name} has other update rules`);
    if (was.ptr !== zone.ptr)
      changes.push(
        `${name} ${zone.ptr ? "brings its reverse records along" : "leaves its reverse records alone"}`,
      );
    if (differ(was.transfer, zone.transfer)) changes.push(`${name} has other transfer rules`);
    if (differ(was.notify, zone.notify)) changes.push(`${name} has other secondaries to notify`);
    if (differ(was.near, zone.near)) changes.push(`${name} puts other addresses first`);
    if (differ(was.ageing, zone.ageing)) {
      changes.push(
        zone.ageing === undefined ? `${name} does not age any more` : `${name} ages by other rules`,
      );
    }
    if (differ([was.journal, was.limits], [zone.journal, zone.limits]))
      changes.push(`${name} has other limits`);
  }
  for (const zone of old.values()) {
    changes.push(`${zone.apex.toString()} is not served any more; its data stay in the store`);
  }
  return changes;
}

function differ(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) !== JSON.stringify(b);
}
