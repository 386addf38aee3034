/** What is made of the turns: the rows of the table. */
import type { Delay } from "../measure/delay-meter.ts";
import { QUESTION_RATE, UPDATE_RATE } from "../measure/latency.ts";
import { UPDATES_OUTSTANDING } from "../measure/loads.ts";
import type { Turn } from "../measure/turn.ts";
import { percentile } from "./statistics.ts";
import type { Measure } from "./table.ts";
import { numberText } from "./table.ts";

const MEBIBYTE = 1024 * 1024;
/** The rate at which latencies are measured, as text. */
const ASKED = `${numberText(QUESTION_RATE, 0)} queries/s`;
const SENT = `${numberText(UPDATE_RATE, 0)} updates/s`;

type Figure = (turn: Turn) => number | undefined;
type Row = readonly [id: string, title: string, better: Measure["better"], digits: number, figure: Figure];

/** A percentile of a turn's delays. */
function delay(of: keyof Delay, share: number): Figure {
  return ({ delays = [] }) => {
    const known = delays.flatMap((one) => one[of] ?? []);
    return known.length === 0 ? undefined : percentile(known, share);
  };
}

/** One figure divided by another of the same turn. */
function quotient(above: Figure, below: Figure): Figure {
  return (turn) => {
    const [dividend, divisor] = [above(turn), below(turn)];
    return dividend === undefined || divisor === undefined ? undefined : dividend / divisor;
  };
}

function updateRows(outstanding: number): Row[] {
  const title = `${outstanding} outstanding`;
  const id = `updates-${outstanding}`;
  return [
    [id, `${title}, updates/s`, "more", 0, ({ updates }) => updates[outstanding]?.perSecond],
    [
      `${id}-cost`,
      `${title}, processor µs an update`,
      "less",
      0,
      ({ updates }) => updates[outstanding]?.processorMicroseconds,
    ],
    [`${id}-wait`, `${title}, ms to the answer`, "less", 2, ({ updates }) => updates[outstanding]?.latency],
    [`${id}-lost`, `${title}, unanswered`, "less", 0, ({ updates }) => updates[outstanding]?.lost],
  ];
}

const ROWS: readonly Row[] = [
  ["udp", "UDP, queries/s", "more", 0, ({ udp }) => udp?.perSecond],
  ["udp-cost", "UDP, processor µs a query", "less", 2, ({ udp }) => udp?.processorMicroseconds],
  ["tcp", "TCP, queries/s", "more", 0, ({ tcp }) => tcp?.perSecond],
  ["tcp-cost", "TCP, processor µs a query", "less", 2, ({ tcp }) => tcp?.processorMicroseconds],
  ...UPDATES_OUTSTANDING.flatMap(updateRows),
  ["latency-p50", `to the answer at ${ASKED}, p50 ms`, "less", 3, ({ latency }) => latency?.p50],
  ["latency-p99", `to the answer at ${ASKED}, p99 ms`, "less", 3, ({ latency }) => latency?.p99],
  [
    "busy-p50",
    `the same under ${SENT}, p50 ms`,
    "less",
    3,
    ({ latencyUnderUpdates }) => latencyUnderUpdates?.p50,
  ],
  [
    "busy-p99",
    `the same under ${SENT}, p99 ms`,
    "less",
    3,
    ({ latencyUnderUpdates }) => latencyUnderUpdates?.p99,
  ],
  [
    "busy-ratio",
    "p99 under updates ÷ p99 without",
    "less",
    2,
    quotient(
      ({ latencyUnderUpdates }) => latencyUnderUpdates?.p99,
      ({ latency }) => latency?.p99,
    ),
  ],
  [
    "busy-unanswered",
    "queries unanswered meanwhile",
    "less",
    0,
    ({ latencyUnderUpdates }) => latencyUnderUpdates?.unanswered,
  ],
  [
    "busy-updates",
    "updates/s taken meanwhile",
    "more",
    0,
    ({ latencyUnderUpdates }) => latencyUnderUpdates?.updatesPerSecond,
  ],
  ["notify-p50", "acknowledged to NOTIFY, p50 ms", "less", 1, delay("notify", 0.5)],
  ["notify-p99", "acknowledged to NOTIFY, p99 ms", "less", 1, delay("notify", 0.99)],
  ["secondary-p50", "acknowledged to secondary, p50 ms", "less", 1, delay("visible", 0.5)],
  ["secondary-p99", "acknowledged to secondary, p99 ms", "less", 1, delay("visible", 0.99)],
  [
    "secondary-quiet",
    "the same after quiet, ms",
    "less",
    1,
    ({ delayAfterQuiet }) => delayAfterQuiet?.visible,
  ],
  ["start", "start to first answer, ms", "less", 0, ({ start }) => start],
  ["million-start", "million names: start to first answer, ms", "less", 0, ({ million }) => million.start],
  [
    "million-memory",
    "million names: memory when ready, MiB",
    "less",
    0,
    ({ million: { memory } }) => memory && memory / MEBIBYTE,
  ],
  [
    "million-memory-end",
    "million names: memory after all this, MiB",
    "less",
    0,
    ({ million: { memoryAtEnd } }) => memoryAtEnd && memoryAtEnd / MEBIBYTE,
  ],
  [
    "million-cost",
    "million names: UDP, processor µs a query",
    "less",
    2,
    ({ million }) => million.udp?.processorMicroseconds,
  ],
  ["million-transfer", "million names: AXFR to dig, s", "less", 2, ({ million }) => million.transfer],
  [
    "million-updates",
    "million names: 400 outstanding, updates/s",
    "more",
    0,
    ({ million }) => million.updates?.perSecond,
  ],
  [
    "million-updates-ratio",
    "updates/s with a million names ÷ with 10,000",
    "more",
    2,
    quotient(
      ({ million }) => million.updates?.perSecond,
      ({ million }) => million.updatesWithFewer?.perSecond,
    ),
  ],
  [
    "million-updates-cost-ratio",
    "processor time an update, a million names ÷ 10,000",
    "less",
    2,
    quotient(
      ({ million }) => million.updates?.processorMicroseconds,
      ({ million }) => million.updatesWithFewer?.processorMicroseconds,
    ),
  ],
];

/** All measures of which there is a figure. @param turns by server, one a round */
export function measuresOf(turns: ReadonlyMap<string, readonly Turn[]>): Measure[] {
  return ROWS.map(([id, title, better, digits, figure]) => ({
    id,
    title,
    better,
    digits,
    figures: new Map([...turns].map(([name, list]) => [name, list.map(figure)])),
  })).filter(({ figures }) =>
    [...figures.values()].some((list) => list.some((figure) => figure !== undefined)),
  );
}
