/** Two hundred updates of every sort that machines and administrators send, for nsupdate; each changes something. */

/** Rounds of {@link churn}, ten updates each. */
const ROUNDS = 20;

/** Updates that {@link churn} gives: so far the serial moves. */
export const CHURN_UPDATES = ROUNDS * 10;

/** The rule that lets everybody on this machine send them: wildcards must be listed one by one. */
export const CHURN_RULE: string = `[[zone.update]]
net = "127.0.0.0/8"
names = ["*", ${Array.from({ length: ROUNDS }, (_, round) => String.raw`"\\*.dyn${round}"`).join(", ")}]
`;

/** The commands of nsupdate, each update with its `send`. Every one is to change the zone. */
export function churn(zone: string): string[] {
  const updates: string[][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const host = `fs${round}.${zone}.`;
    const loud = `FS${round}.${zone.toUpperCase()}.`;
    const alias = `www${round}.${zone}.`;
    const wild = `*.dyn${round}.${zone}.`;
    const odd = `r${round}\\.dot\\032blank\\000\\255\\"quote\\".${zone}.`;
    updates.push(
      [`add ${host} 300 A 192.0.2.${round}`, `add ${host} 300 A 192.0.2.${round + 100}`],
      // Another case of the same name.
      [`add ${loud} 300 AAAA 2001:db8::${round}`],
      [`delete ${loud} A`, `add ${host} 120 A 198.51.100.${round}`],
      [`add ${host} 600 A 198.51.100.${round}`],
      [`add ${alias} 60 CNAME Node.${zone}.`],
      [
        `add _smb._tcp.site${round}.${zone}. 120 SRV 0 50 445 Node.${zone}.`,
        `add _smb._tcp.site${round}.${zone}. 120 SRV 10 50 445 ns1.${zone}.`,
      ],
      [`add ${wild} 30 A 203.0.113.${round}`, `add ${wild} 30 TXT "round ${round}" "second string"`],
      [`add ${odd} 30 TXT "octets \\000\\127\\255 \\"quoted\\" \\\\ ;"`],
      round % 2 === 0 ? [`delete ${wild} TXT`] : [`delete fs${round - 1}.${zone}. `],
      [`delete ${alias} CNAME`, `add ${alias} 60 CNAME other${round}.example.net.`],
    );
  }
  return [`zone ${zone}`, ...updates.flatMap((lines) => [...lines.map((line) => `update ${line}`), "send"])];
}
