/** What is made of the turns: the rows of the table. */
import type { Delay } from "./delay.ts";
import { UPDATES_OUTSTANDING } from "./round.ts";
import type { Turn } from "./round.ts";
import { percentile } from "./statistics.ts";
import type { Measure } from "./table.ts";

/** A percentile of a turn's delays. */
function delay(of: keyof Delay, share: number): (turn: Turn) => number | undefined {
  return ({ delays = [] }) => {
    const known = delays.flatMap((one) => one[of] ?? []);
    return known.length === 0 ? undefined : percentile(known, share);
  };
}

/** All measures of which there is a figure. @param turns by server, one a round */
export function measuresOf(turns: ReadonlyMap<string, readonly Turn[]>): Measure[] {
  const measure = (
    title: string,
    better: Measure["better"],
    digits: number,
    figure: (turn: Turn) => number | undefined,
  ): Measure => ({
    title,
    better,
    digits,
    figures: new Map([...turns].map(([name, list]) => [name, list.map(figure)])),
  });
  const all = [
    measure("UDP, queries/s", "more", 0, ({ udp }) => udp?.perSecond),
    measure("UDP, processor µs a query", "less", 2, ({ udp }) => udp?.processorMicroseconds),
    measure("TCP, queries/s", "more", 0, ({ tcp }) => tcp?.perSecond),
    measure("TCP, processor µs a query", "less", 2, ({ tcp }) => tcp?.processorMicroseconds),
    ...UPDATES_OUTSTANDING.flatMap((outstanding) => [
      measure(
        `${outstanding} outstanding, updates/s`,
        "more",
        0,
        ({ updates }) => updates[outstanding]?.perSecond,
      ),
      measure(
        `${outstanding} outstanding, processor µs an update`,
        "less",
        0,
        ({ updates }) => updates[outstanding]?.processorMicroseconds,
      ),
      measure(
        `${outstanding} outstanding, ms to the answer`,
        "less",
        2,
        ({ updates }) => updates[outstanding]?.latency,
      ),
      measure(
        `${outstanding} outstanding, unanswered`,
        "less",
        0,
        ({ updates }) => updates[outstanding]?.lost,
      ),
    ]),
    measure("acknowledged to NOTIFY, p50 ms", "less", 1, delay("notify", 0.5)),
    measure("acknowledged to NOTIFY, p99 ms", "less", 1, delay("notify", 0.99)),
    measure("acknowledged to secondary, p50 ms", "less", 1, delay("visible", 0.5)),
    measure("acknowledged to secondary, p99 ms", "less", 1, delay("visible", 0.99)),
    measure("the same after quiet, ms", "less", 1, ({ delayAfterQuiet }) => delayAfterQuiet?.visible),
    measure("start to first answer, ms", "less", 0, ({ start }) => start),
  ];
  return all.filter(({ figures }) =>
    [...figures.values()].some((list) => list.some((figure) => figure !== undefined)),
  );
}
