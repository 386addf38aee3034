#!/usr/bin/env node
/** The `rollcall` program. Everything else is loaded only when this Node is new enough for it. */
const NODE_LEAST = 24;

if (Number(process.versions.node.split(".")[0]) < NODE_LEAST) {
  process.stderr.write(
    `rollcall: Node.js ${NODE_LEAST} or later is needed, and this is ${process.versions.node}\n` +
      `    Install a newer one from https://nodejs.org, or run through npm in a checkout: npm run rollcall -- …\n`,
  );
  process.exitCode = 1;
} else {
  const { run } = await import("./program.ts");
  process.exitCode = await run(process.argv.slice(2));
}
