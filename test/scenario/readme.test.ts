/** The README's tour, typed as it stands: only ports and folders are others, so that it can run beside anything. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { describeWith } from "../support/peers.ts";
import { Daemon, run } from "../support/process.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const README = readFileSync(join(ROOT, "README.md"), "utf8");

/** The shell lines between the tour's marks. */
function tour(): string {
  const text = README.slice(README.indexOf("<!-- tour:begin -->"), README.indexOf("<!-- tour:end -->"));
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1]!).join("\n");
}

/** What a shell puts in for the SOA that the server on a port has. */
function soa(port: string): string {
  return `$(dig @127.0.0.1 -p ${port} smb.example SOA +short +tries=1 +time=1)`;
}

/**
 * Beside what the tour's `sleep` waits for: that the secondary, which may be slow to start here, has what the primary has.
 */
function patientSleep(port: string, secondary: string): string {
  return `sleep() {
  for i in {1..100}; do
    [ "${soa(secondary)}" = "${soa(port)}" ] && break
    command sleep 0.1
  done
  command sleep "$@"
}
`;
}

describeWith(["dig", "nsupdate", "named"], "README: five minutes", () => {
  const folder = mkdtempSync(join(tmpdir(), "rollcall-readme-"));
  let server: Daemon;
  let script = "";

  beforeAll(async () => {
    cpSync(join(ROOT, "zones"), join(folder, "zones"), { recursive: true });
    const [port, secondary] = [String(await freePort()), String(await freePort())];
    const elsewhere = (text: string): string =>
      text
        .replaceAll("5300", port)
        .replaceAll("5301", secondary)
        .replaceAll("/tmp/rollcall-secondary", join(folder, "secondary"))
        .replaceAll("npm run -s rollcall --", `${process.execPath} ${join(ROOT, "src/cli/main.ts")}`);
    const config = join(folder, "zones/rollcall.toml");
    writeFileSync(config, elsewhere(readFileSync(config, "utf8")));
    script = patientSleep(port, secondary) + elsewhere(tour());
    // `npm start`, as package.json has it
    const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      scripts: { start: string };
    };
    const start = manifest.scripts.start.replace("src/", `${ROOT}/src/`).split(" ").slice(1);
    server = new Daemon("rollcall", process.execPath, start, { cwd: folder });
    await server.line((line) => line.includes('"msg":"ready"'));
  });

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test("every line of the tour does what it says", async () => {
    const { code, stdout, stderr } = await run("bash", ["-euo", "pipefail", "-c", script], { cwd: folder });
    expect(stderr.trim()).toBe("update failed: REFUSED");
    expect(code).toBe(0);
    const answers = stdout.split("\n");
    // asked, registered, followed by the secondary
    expect(answers).toContain("192.0.2.21");
    expect(stdout).toContain("dc1.smb.example.");
    expect(answers).toContain("192.0.2.29");
    expect(answers).toContain("192.0.2.28");
    // history and rollback
    expect(stdout).toMatch(/\+ node9\.smb\.example\. +1200 A +192\.0\.2\.29/);
    expect(stdout).toContain("smb.example. rolled back: 1 removed, 0 added, serial 2 to 3.");
    // status: the secondary has the newest serial
    expect(stdout).toMatch(/smb\.example\. +127\.0\.0\.1:\d+ +4 +current/);
  });

  test("the refusal is in the log, with the rule and what it wants", () => {
    expect(server.output).toMatch(/rule 1 does not list wpad\.smb\.example .*"msg":"update refused"/);
  });
});
