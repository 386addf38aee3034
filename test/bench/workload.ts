/** What the servers serve and are asked: the same for all, made from a fixed seed. */
import { Random } from "../support/mutate.ts";

export const ZONE = "smb.example";
export const HOSTS = 10_000;
/** Questions in the file that dnsperf goes through again and again. */
const QUESTIONS = 100_000;
/** Times that the updates go over all hosts before they begin again, each time with other addresses. */
const UPDATE_PASSES = 4;

/** A host's address: another in each generation. */
export function address(host: number, generation: number): string {
  return `10.${generation}.${host >> 8}.${host & 255}`;
}

/** The zone: hosts with an A, an AAAA and a file service each. Written so that every server reads it. */
export function zoneText(): string {
  const lines = [
    `$ORIGIN ${ZONE}.`,
    "$TTL 300",
    "@ IN SOA ns1 hostmaster 1 900 60 1209600 30",
    "@ IN NS ns1",
    "ns1 IN A 127.0.0.1",
  ];
  for (let host = 0; host < HOSTS; host++) {
    lines.push(
      `host${host} IN A ${address(host, 255)}`,
      `host${host} IN AAAA 2001:db8::${host.toString(16)}`,
      `_smb._tcp.host${host} IN SRV 0 0 445 host${host}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** Share of NXDOMAIN among the answers to {@link questionText}. */
export const NXDOMAIN_SHARE = 0.1;

/** Questions for dnsperf: 60 % A, 20 % AAAA, 10 % SRV, 10 % of names that are not there. */
export function questionText(): string {
  const random = new Random(1);
  const lines: string[] = [];
  for (let i = 0; i < QUESTIONS; i++) {
    const host = random.below(HOSTS);
    const kind = random.below(10);
    if (kind < 6) lines.push(`host${host}.${ZONE} A`);
    else if (kind < 8) lines.push(`host${host}.${ZONE} AAAA`);
    else if (kind < 9) lines.push(`_smb._tcp.host${host}.${ZONE} SRV`);
    else lines.push(`nohost${host}.${ZONE} A`);
  }
  return `${lines.join("\n")}\n`;
}

/** Updates for dnsperf, each of which replaces a host's one address by another: none of them changes nothing. */
export function updateText(): string {
  const random = new Random(2);
  const hosts = Array.from({ length: HOSTS }, (_, host) => host);
  const lines: string[] = [];
  for (let pass = 0; pass < UPDATE_PASSES; pass++) {
    for (let left = HOSTS; left > 1; left--) {
      const other = random.below(left);
      [hosts[left - 1], hosts[other]] = [hosts[other]!, hosts[left - 1]!];
    }
    for (const host of hosts) {
      lines.push(ZONE, `delete host${host} A`, `add host${host} 300 A ${address(host, pass)}`, "send");
    }
  }
  return `${lines.join("\n")}\n`;
}
