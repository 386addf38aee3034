/** What `rollcall status` tells of the server itself: what it runs on, and what its parts have counted. */
import type { Config } from "../config/config.ts";
import { ROLLCALL_VERSION } from "../config/version.ts";
import type { ReloadReport, ServerStatus } from "../control/verbs.ts";
import type { FrontCounters } from "../server/front.ts";
import type { Listeners } from "../server/listeners.ts";
import type { TcpConnections } from "../server/tcp.ts";
import type { UdpTransport } from "../server/transport.ts";
import type { Ageing } from "../services/ageing.ts";
import type { ChangeQueue } from "../services/change-queue.ts";
import type { Forwarder } from "../services/forward/forwarder.ts";
import type { Kerberos } from "../services/kerberos.ts";
import type { NetbiosService } from "../services/netbios.ts";
import type { Notifier } from "../services/notifier.ts";
import type { RefusalLog } from "../services/refusal-log.ts";
import type { Transfers } from "../services/transfers.ts";
import type { Updater } from "../services/updater.ts";
import type { ServedZones } from "../services/zones.ts";

/** Whatever has something to tell. */
export interface StatusSources {
  /** Milliseconds since 1970 UTC. */
  readonly startedAt: number;
  /** In force now. */
  readonly config: () => Config;
  readonly lastReload: () => ReloadReport | undefined;
  readonly front: { readonly counters: FrontCounters };
  readonly udp: UdpTransport;
  readonly connections: TcpConnections;
  readonly listeners: Listeners;
  readonly netbios: NetbiosService;
  readonly zones: ServedZones;
  readonly queue: ChangeQueue;
  readonly updater: Updater;
  readonly refusals: RefusalLog;
  readonly ageing: Ageing;
  readonly transfers: Transfers;
  readonly notifier: Notifier;
  readonly forwarder: Forwarder;
  readonly kerberos: Kerberos;
}

/** The status as it is now; what there is to say of each zone is the administrator's verb's to add. */
export function serverStatus(sources: StatusSources): Omit<ServerStatus, "zones"> {
  const { startedAt, listeners, udp, netbios, kerberos, zones, forwarder } = sources;
  const config = sources.config();
  const lastReload = sources.lastReload();
  const forward = forwarder.report();
  return {
    version: ROLLCALL_VERSION,
    pid: process.pid,
    startedAt,
    config: config.path,
    data: config.data,
    listen: listeners.addresses,
    udp: udp.description,
    ...(config.netbios === undefined ? {} : { netbios: netbios.addresses }),
    ...(kerberos.gss === undefined ? {} : { gss: { principals: kerberos.principals() } }),
    ...(lastReload === undefined ? {} : { lastReload }),
    ...(zones.emptyCount === 0 ? {} : { emptyZones: zones.emptyCount }),
    ...(forward === undefined ? {} : { forward }),
    memory: process.memoryUsage.rss(),
    counters: {
      ...messageCounters(sources),
      ...changeCounters(sources),
      ...secondaryCounters(sources),
      ...(config.netbios === undefined ? {} : netbios.status()),
      ...forwardCounters(forwarder, udp),
      ...kerberos.counters(),
    },
  };
}

function messageCounters(sources: StatusSources): Record<string, number> {
  const { front, udp, connections, netbios, refusals } = sources;
  const { received, ignored, dropped, sent, sendErrors, receiveErrors } = udp.counters;
  const tcp = connections.counters;
  return {
    queries: front.counters.queries + udp.answered,
    otherMessages: front.counters.others,
    bugs: front.counters.bugs + netbios.counters.bugs,
    refusals: refusals.count,
    udpReceived: received,
    udpIgnored: ignored,
    udpDropped: dropped,
    udpSent: sent,
    udpSendErrors: sendErrors,
    udpReceiveErrors: receiveErrors,
    tcpConnections: connections.size,
    tcpAccepted: tcp.accepted,
    tcpRefused: tcp.refused,
    tcpReceived: tcp.received,
    tcpSent: tcp.sent,
    tcpCut: tcp.cut,
  };
}

function changeCounters({ updater, ageing, queue }: StatusSources): Record<string, number> {
  const { received, changed, unchanged, refused, failed } = updater.counters;
  return {
    updatesReceived: received,
    updatesChanged: changed,
    updatesUnchanged: unchanged,
    updatesRefused: refused,
    updatesFailed: failed,
    refreshes: ageing.counters.refreshes,
    refreshesWritten: ageing.counters.written,
    recordsAgedOut: ageing.counters.removed,
    changesWaiting: queue.depth,
  };
}

function secondaryCounters({ transfers, notifier }: StatusSources): Record<string, number> {
  const { axfr, ixfr, current, fallback, refused, broken } = transfers.counters;
  const { sent, acknowledged, unanswered } = notifier.counters;
  return {
    transfersAxfr: axfr,
    transfersIxfr: ixfr,
    transfersCurrent: current,
    transfersFallback: fallback,
    transfersRefused: refused,
    transfersBroken: broken,
    transfersUnderWay: transfers.underWay,
    notifySent: sent,
    notifyAcknowledged: acknowledged,
    notifyUnanswered: unanswered,
  };
}

/** Of the forwarder, and of the answer threads, which give some answers and refuse strangers by themselves. */
function forwardCounters(
  { counters }: Forwarder,
  { recalled, strangers }: UdpTransport,
): Record<string, number> {
  return {
    forwardQueries: counters.queries + recalled + strangers,
    forwardHits: counters.hits + recalled,
    forwardStale: counters.stale,
    forwardShared: counters.shared,
    forwardFailed: counters.failed,
    forwardOverload: counters.overload,
    forwardRefused: counters.refused + strangers,
    forwardSent: counters.sent,
    forwardSentTcp: counters.sentTcp,
    forwardForeign: counters.foreign,
  };
}
