/** The delay from an update to a Knot secondary that answers with it, on servers started for it alone. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { freePort } from "../../support/free-port.ts";
import { CLIENT_CORE, PinnedProgram } from "../load/pinned.ts";
import type { Durations } from "../options.ts";
import { configureSecondary } from "../servers/knotd.ts";
import type { ServerProgram } from "../servers/server.ts";
import { DelayMeter, NotifyListener } from "./delay-meter.ts";
import { answering, withServer } from "./started.ts";
import type { Bench, Turn } from "./turn.ts";

export async function measureDelay(bench: Bench, server: ServerProgram, turn: Turn): Promise<void> {
  const secondaryPort = await freePort();
  const notifies = await NotifyListener.open();
  const options = { name: "delay", zone: bench.cluster.zone, notify: [secondaryPort, notifies.port] };
  try {
    await withServer(bench, server, options, async ({ port }) => {
      const directory = join(bench.memoryDirectory, `${bench.turn}-secondary`);
      mkdirSync(directory);
      const command = configureSecondary(directory, secondaryPort, port);
      const secondary = new PinnedProgram(CLIENT_CORE, command, directory, join(directory, "log"));
      try {
        await answering(secondary, secondaryPort);
        const ports = { primary: port, secondary: secondaryPort };
        const meter = await DelayMeter.open(ports, notifies, bench.key, bench.random);
        try {
          await takeDelays(bench.durations, meter, turn);
        } finally {
          meter.close();
        }
      } finally {
        await secondary.stop();
        if (!bench.keep) rmSync(directory, { recursive: true, force: true });
      }
    });
  } finally {
    notifies.close();
  }
}

async function takeDelays({ delays, quiet }: Durations, meter: DelayMeter, turn: Turn): Promise<void> {
  await meter.one(); // now the first transfer is over, and every path has been walked once
  turn.delays = await meter.oneAfterAnother(delays);
  if (quiet === 0) return;
  await wait(quiet * 1000);
  turn.delayAfterQuiet = await meter.one();
}
