/** BIND's named as a secondary. */
import { keyClause, keysOf, writeIn } from "./secondary.ts";
import type { SecondaryProgram } from "./secondary.ts";

export const named: SecondaryProgram = {
  name: "named",
  keepsCase: true,
  asksOverUdp: false,
  savesLate: false,
  configure(directory, { primary, zones, address = "127.0.0.1", port }) {
    const listen = address.includes(":")
      ? `listen-on { none; };\n  listen-on-v6 port ${port} { ${address}; };\n  transfer-source-v6 ${address};`
      : `listen-on port ${port} { ${address}; };\n  listen-on-v6 { none; };\n  transfer-source ${address};`;
    const zoneClauses = zones.map(({ name, key }) => {
      const primaryKey = key === undefined ? "" : ` key "${key.name}"`;
      return `zone "${name}" {
  type secondary;
  primaries { ${primary.address} port ${primary.port}${primaryKey}; };
  file "${name}.zone";
  masterfile-format text;
};
`;
    });
    const config = `options {
  directory "${directory}";
  pid-file none;
  lock-file none;
  session-keyfile none;
  managed-keys-directory "${directory}";
  ${listen}
  recursion no;
  dnssec-validation no;
  notify no;
  empty-zones-enable no;
  check-names secondary ignore;
  allow-transfer { any; };
  allow-query { any; };
  serial-query-rate 1000;
  max-records-per-type 0;
  max-types-per-name 0;
};
controls { };
${keysOf(zones).map(keyClause).join("")}${zoneClauses.join("")}`;
    // -g: in the foreground, the log to standard error. -d 1: which NOTIFYs came, and whether a transfer was incremental.
    return ["-g", "-n", "1", "-d", "1", "-c", writeIn(directory, "named.conf", config)];
  },
};
