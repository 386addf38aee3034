/** Reading and writing messages, and their TSIG: what an answer thread and the control thread do before and after. */
import { ClientTransaction } from "../../../src/auth/tsig/client.ts";
import { algorithmFromText, keyRing } from "../../../src/auth/tsig/key.ts";
import { verifyRequest } from "../../../src/auth/tsig/server.ts";
import { QuestionReader, Reading } from "../../../src/protocol/question.ts";
import { readUpdate, updateReply } from "../../../src/protocol/update.ts";
import { RrClass } from "../../../src/wire/iana/class.ts";
import { Opcode, Rcode } from "../../../src/wire/iana/code.ts";
import { RrType } from "../../../src/wire/iana/type.ts";
import { decodeMessage, encodeMessage } from "../../../src/wire/message.ts";
import { Name } from "../../../src/wire/name.ts";
import { deleteRrset } from "../../support/update-client.ts";
import { queryOctets } from "../../support/zones.ts";
import type { Step, Steps } from "./steps.ts";
import { APEX, hostAddress, hostName } from "./zone.ts";

const QUERIES = 10_000;
const UPDATES = 1_000;
/** Seconds since 1970, when everything here happens. */
const NOW = 1_800_000_000;

/** An update as a host sends it: its one address replaced. @param generation of the address */
export function updateOctets(host: number, generation: number): Uint8Array {
  return encodeMessage({
    id: host & 0xffff,
    flags: Opcode.UPDATE << 11,
    rcode: 0,
    questions: [{ name: APEX, type: RrType.SOA, class: RrClass.IN }],
    authorities: [deleteRrset(hostName(host), RrType.A), hostAddress(host, generation)],
  });
}

/** Nothing measured may be left out because it went wrong early. */
function must(holds: boolean): void {
  if (!holds) throw new Error("a step of the benchmark did not do what it measures");
}

export function messageSteps(): Steps {
  const queries = Array.from({ length: QUERIES }, (_, i) =>
    queryOctets(hostName(i), RrType.A, { edns: { payload: 1232 } }),
  );
  const key = {
    name: Name.parse("dhcp.smb.example."),
    algorithm: algorithmFromText("hmac-sha256")!,
    secret: new Uint8Array(32).fill(7),
  };
  const keys = keyRing([key]);
  const updates = Array.from({ length: UPDATES }, (_, i) => updateOctets(i, 1));
  const signed = updates.map((update) => ClientTransaction.start(key, update, NOW).message);
  const decoded = signed.map((message) => decodeMessage(message));
  const replies = decoded.map((message) => updateReply(message, { rcode: Rcode.NOERROR }));
  const transactions = signed.map((message, i) => {
    const verdict = verifyRequest(message, decoded[i]!.tsig!, keys, NOW);
    if (!verdict.ok) throw new Error(verdict.reason);
    return verdict.transaction;
  });
  const reader = new QuestionReader();
  const steps: Step[] = [
    {
      name: "parse: a question in place",
      operations: QUERIES,
      pass: () => {
        for (const query of queries) must(reader.read(query, query.length) === Reading.QUERY);
      },
    },
    {
      name: "parse: a query whole",
      operations: QUERIES,
      pass: () => {
        for (const query of queries) must(decodeMessage(query).edns !== undefined);
      },
    },
    {
      name: "parse: a signed update whole",
      operations: UPDATES,
      pass: () => {
        for (const message of signed) must(decodeMessage(message).tsig !== undefined);
      },
    },
    {
      name: "parse: an update's sections",
      operations: UPDATES,
      pass: () => {
        for (const message of decoded) must(readUpdate(message).ok);
      },
    },
    {
      name: "write: an update's reply",
      operations: UPDATES,
      pass: () => {
        for (const message of decoded) must(updateReply(message, { rcode: Rcode.NOERROR }).length > 0);
      },
    },
    {
      name: "TSIG: verify a request",
      operations: UPDATES,
      pass: () => {
        for (const [i, message] of signed.entries())
          must(verifyRequest(message, decoded[i]!.tsig!, keys, NOW).ok);
      },
    },
    {
      name: "TSIG: sign a reply",
      operations: UPDATES,
      pass: () => {
        for (const [i, transaction] of transactions.entries())
          must(transaction.sign(replies[i]!, NOW).length > replies[i]!.length);
      },
    },
  ];
  return { steps };
}
