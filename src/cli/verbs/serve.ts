/** `rollcall serve`: runs the server in the foreground, as a process: its signals, its log, and what it says on failure. */
import type { Command } from "commander";
import type { Rollcall as Server } from "../../app.ts";
import { loadConfig } from "../../config/load.ts";
import type { Problem } from "../../config/problem.ts";
import { problemToText } from "../../config/problem.ts";
import { withCommon } from "../command.ts";
import type { CommonOptions } from "../command.ts";
import { Exit } from "../output.ts";

export function addServe(program: Command, setExit: (code: number) => void): void {
  const command = program
    .command("serve")
    .description("run the server in the foreground; SIGHUP reloads, SIGTERM and SIGINT stop");
  withCommon(command, ["rollcall serve", "rollcall serve --config /etc/rollcall/rollcall.toml"]).action(
    async (options: CommonOptions) => setExit(await serve(options)),
  );
}

/** Runs until told to stop. @returns the exit code */
async function serve(options: CommonOptions): Promise<number> {
  const { config, problems } = loadConfig(options.config);
  if (config === undefined) return startFailed(options, "the configuration has mistakes", problems);
  // Loaded only here: every other command starts without the store and the sockets.
  const { Rollcall, StartError, createLog } = await import("../../app.ts");
  const { logger, flush } = await createLog(config.log.level);
  for (const problem of problems) logger.warn({ code: problem.code }, problemToText(problem));

  const { promise: stopRequested, resolve: requestStop } = Promise.withResolvers<void>();
  process.on("SIGTERM", () => requestStop());
  process.on("SIGINT", () => requestStop());
  // One that comes before the server is up waits for it: left to the system, it would end the process.
  const started = Promise.withResolvers<Server>();
  process.on("SIGHUP", () => {
    started.promise
      .then((server) => server.reload())
      .catch((error: unknown) => logger.error({ err: error }, "reloading failed: a fault in the server"));
  });
  // What nobody caught ends the process all the same; the lines gathered so far are not to be lost with it.
  process.on("uncaughtExceptionMonitor", (error) => {
    logger.fatal({ err: error }, "a fault in the server ends it");
    flush();
  });
  let server: Server;
  try {
    server = await Rollcall.start(config, logger, requestStop);
  } catch (error) {
    flush();
    if (error instanceof StartError)
      return startFailed(options, error.message, [...problems, ...error.problems]);
    const { message, code, advice } = error as { message: string; code?: string; advice?: string };
    if (code === undefined) throw error;
    return startFailed(options, message, [
      { severity: "error", code, file: options.config, message, advice },
    ]);
  }
  server.preferAnswers();
  started.resolve(server);
  await stopRequested;
  await server.stop();
  flush();
  return Exit.DONE;
}

function startFailed(
  options: Pick<CommonOptions, "json">,
  message: string,
  problems: readonly Problem[],
): number {
  const text =
    options.json === true
      ? JSON.stringify({ ok: false, message, problems })
      : [...problems.map(problemToText), `rollcall: not started: ${message}`].join("\n");
  process.stderr.write(`${text}\n`);
  return Exit.FAILED;
}
