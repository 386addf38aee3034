/** What the servers serve and are asked: the same for all, made from fixed seeds. */
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../../support/mutate.ts";

export const ZONE = "smb.example";
export const HOSTS = 10_000;
export const MILLION = 1_000_000;

/** Questions in the file that dnsperf goes through again and again. */
const QUESTIONS = 100_000;
const MANY_QUESTIONS = 500_000;
/** Hosts that updates go over at most before they come to the same ones again. */
const TOUCHED = 100_000;
/** Times that one file's updates go over their hosts before it begins again, each time with other addresses. */
const PASSES = 4;
/** Octets gathered before they are written. */
const CHUNK = 1 << 20;

/** Share of NXDOMAIN among the answers. */
export const NXDOMAIN_SHARE = 0.1;

/** What makes up one zone's load. */
export interface Workload {
  readonly hosts: number;
  readonly zone: () => Iterable<string>;
  readonly questions: () => Iterable<string>;
}

/** Hosts with an A, an AAAA and a file service each. */
export const CLUSTER: Workload = {
  hosts: HOSTS,
  zone: () =>
    zoneLines(
      HOSTS,
      (host) =>
        `${hostLine(host)}host${host} IN AAAA 2001:db8::${host.toString(16)}\n_smb._tcp.host${host} IN SRV 0 0 445 host${host}\n`,
    ),
  questions: clusterQuestions,
};

/** Hosts with an A alone: one record a name. */
export function plainHosts(hosts: number): Workload {
  return { hosts, zone: () => zoneLines(hosts, hostLine), questions: () => plainQuestions(hosts) };
}

/** A host's address: another in each generation, 0 to 245. */
export function address(host: number, generation: number): string {
  return `${10 + generation}.${host >> 16}.${(host >> 8) & 255}.${host & 255}`;
}

function hostLine(host: number): string {
  return `host${host} IN A ${address(host, 0)}\n`;
}

/** Written so that every server reads it. */
function* zoneLines(hosts: number, lines: (host: number) => string): Generator<string> {
  yield `$ORIGIN ${ZONE}.\n$TTL 300\n`;
  yield "@ IN SOA ns1 hostmaster 1 900 60 1209600 30\n@ IN NS ns1\nns1 IN A 127.0.0.1\n";
  for (let host = 0; host < hosts; host++) yield lines(host);
}

/** 60 % A, 20 % AAAA, 10 % SRV, 10 % of names that are not there. */
function* clusterQuestions(): Generator<string> {
  const random = new Random(1);
  for (let i = 0; i < QUESTIONS; i++) {
    const host = random.below(HOSTS);
    const kind = random.below(10);
    if (kind < 6) yield `host${host}.${ZONE} A\n`;
    else if (kind < 8) yield `host${host}.${ZONE} AAAA\n`;
    else if (kind < 9) yield `_smb._tcp.host${host}.${ZONE} SRV\n`;
    else yield `nohost${host}.${ZONE} A\n`;
  }
}

/** 70 % A, 20 % AAAA, which no host has, 10 % of names that are not there. */
function* plainQuestions(hosts: number): Generator<string> {
  const random = new Random(4);
  for (let i = 0; i < MANY_QUESTIONS; i++) {
    const host = random.below(hosts);
    const kind = random.below(10);
    if (kind < 7) yield `host${host}.${ZONE} A\n`;
    else if (kind < 9) yield `host${host}.${ZONE} AAAA\n`;
    else yield `nohost${host}.${ZONE} A\n`;
  }
}

/**
 * Updates for dnsperf, each of which replaces a host's one address by another: none of them changes nothing, also where
 * one file follows another and where a file begins again.
 * @param file which file of its zone, from 0: no two have an address in common
 */
export function* updates(hosts: number, file: number): Generator<string> {
  const random = new Random(2);
  const touched = Math.min(hosts, TOUCHED);
  // Far apart in the zone, and each once: a step without a common factor with the number of hosts.
  const order = Array.from({ length: touched }, (_, i) => (i * 7_919) % hosts);
  for (let pass = 0; pass < PASSES; pass++) {
    for (let left = touched; left > 1; left--) {
      const other = random.below(left);
      [order[left - 1], order[other]] = [order[other]!, order[left - 1]!];
    }
    const generation = 1 + file * PASSES + pass;
    for (const host of order) {
      yield `${ZONE}\ndelete host${host} A\nadd host${host} 300 A ${address(host, generation)}\nsend\n`;
    }
  }
}

/** Where a zone's load lies on the disk. */
export interface WorkloadFiles {
  readonly zone: string;
  readonly questions: string;
  /** In the order they are to be used, each once after a start with the zone as it is in its file. */
  readonly updates: readonly string[];
}

/** @param updateFiles how many files of updates; @returns where everything is */
export function writeWorkload(
  workload: Workload,
  directory: string,
  name: string,
  updateFiles: number,
): WorkloadFiles {
  const write = (kind: string, lines: Iterable<string>): string => {
    const path = join(directory, `${name}.${kind}`);
    writeLines(path, lines);
    return path;
  };
  return {
    zone: write("zone", workload.zone()),
    questions: write("questions", workload.questions()),
    updates: Array.from({ length: updateFiles }, (_, file) =>
      write(`updates-${file}`, updates(workload.hosts, file)),
    ),
  };
}

function writeLines(path: string, lines: Iterable<string>): void {
  writeFileSync(path, "");
  const file = openSync(path, "a");
  try {
    let gathered: string[] = [];
    let size = 0;
    for (const line of lines) {
      gathered.push(line);
      size += line.length;
      if (size < CHUNK) continue;
      writeSync(file, gathered.join(""));
      [gathered, size] = [[], 0];
    }
    writeSync(file, gathered.join(""));
  } finally {
    closeSync(file);
  }
}
