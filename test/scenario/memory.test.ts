/** What a server is begun with, to take no more memory than it needs. */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { askText } from "../support/exchange.ts";
import { RollcallServer, SMALL_ZONE } from "../support/rollcall.ts";

const OPTIONS = {
  config: `[[zone]]\nname = "smb.example"\nfile = "smb.zone"\n`,
  files: { "smb.zone": SMALL_ZONE },
};

let server: RollcallServer | undefined;
afterEach(() => server?.remove());

/** Starts it. @returns the arguments that its process really has */
async function begun(env: NodeJS.ProcessEnv): Promise<string[]> {
  server = await RollcallServer.start({ ...OPTIONS, env });
  expect(await askText(server, "fs1.smb.example. A")).toMatchObject({ rcode: "NOERROR" });
  return readFileSync(`/proc/${server.daemon.pid}/cmdline`, "utf8").split("\0");
}

describe.runIf(process.platform === "linux")("serve begins itself again", () => {
  test("with sizes of V8's heap, once", async () => {
    const args = await begun({ NODE_OPTIONS: "" });
    expect(args.filter((arg) => arg.startsWith("--max-semi-space-size="))).toHaveLength(1);
    expect(args.filter((arg) => arg.startsWith("--heap-growing-percent="))).toHaveLength(1);
  });

  test("but not where the operator set a size", async () => {
    const args = await begun({ NODE_OPTIONS: "--max-semi-space-size=8" });
    expect(args.filter((arg) => arg.startsWith("--max-semi-space-size="))).toEqual([]);
  });
});
