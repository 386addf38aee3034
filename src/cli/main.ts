#!/usr/bin/env node
/** The `rollcall` program. Everything else is loaded only when this Node is new enough for it. */
const NODE_LEAST = 24;
/**
 * How V8 is to keep its heap: in MiB, one half of the young generation; and by how many percent what lives long may grow
 * before it is looked through for garbage.
 */
const HEAP = ["--min-semi-space-size=16", "--max-semi-space-size=32", "--heap-growing-percent=100"];

if (Number(process.versions.node.split(".")[0]) < NODE_LEAST) {
  process.stderr.write(
    `rollcall: Node.js ${NODE_LEAST} or later is needed, and this is ${process.versions.node}\n` +
      `    Install a newer one from https://nodejs.org, or run through npm in a checkout: npm run rollcall -- …\n`,
  );
  process.exitCode = 1;
} else {
  if (process.argv[2] === "serve") sizeHeap();
  if (import.meta.url.endsWith(".ts")) await keepStrippedTypes();
  const { run } = await import("./program.ts");
  process.exitCode = await run(process.argv.slice(2));
}

/**
 * Hundreds of updates under way at once outlive the collections of V8's default young generation, which begins at 1 MiB,
 * and copying them from one collection to the next takes a third of the processor time of an update. What outlives them
 * all the same is garbage soon after, and V8 would let it grow to several times what lives. These sizes are decided before
 * the program is loaded, so it is begun again, in the same process, with others (docs/decisions/013). Where the operator
 * set a size, or the system cannot begin a program anew (Windows), it stays as it is.
 */
function sizeHeap(): void {
  const given = [...process.execArgv, process.env["NODE_OPTIONS"] ?? ""].join(" ");
  if (given.includes("semi-space-size") || process.platform === "win32") return;
  const { execPath, execArgv, argv } = process;
  process.execve?.(execPath, [execPath, ...HEAP, ...execArgv, ...argv.slice(1)], process.env);
}

/**
 * A checkout runs TypeScript as it is. What is left of it without its types is kept beside the dependencies, which halves
 * the time of the next start; answer threads learn of it by the environment. Where nothing can be written there, every
 * start takes its time.
 */
async function keepStrippedTypes(): Promise<void> {
  const { constants, enableCompileCache } = await import("node:module");
  const { fileURLToPath } = await import("node:url");
  const directory = fileURLToPath(new URL("../../node_modules/.cache/rollcall", import.meta.url));
  const { status } = enableCompileCache(directory);
  if (status === constants.compileCacheStatus.ENABLED) process.env["NODE_COMPILE_CACHE"] = directory;
}
