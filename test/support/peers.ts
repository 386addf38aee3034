/** Which of the real programs are here, and what to say where one is not. */
/* oxlint-disable vitest/no-conditional-tests, vitest/valid-describe-callback, vitest/valid-title, vitest/no-disabled-tests --
   this file makes suites and holds none */
import { describe } from "vitest";
import { findProgram } from "./process.ts";

/** The one command that installs everything. */
export const INSTALL_COMMAND = "sudo bash test/interop/install.sh";

/** Programs a suite needs that are not installed. */
export function missingPrograms(programs: readonly string[]): string[] {
  return programs.filter((program) => findProgram(program) === undefined);
}

/**
 * A suite that needs real programs. Where one is missing the suite is left out and says so, with the command that
 * installs it; with ROLLCALL_REQUIRE_PEERS=1, as in CI, it fails instead.
 */
export function describeWith(programs: readonly string[], name: string, suite: () => void): void {
  const missing = missingPrograms(programs);
  if (missing.length === 0) {
    describe(name, suite);
    return;
  }
  const what = `${missing.join(", ")} not installed`;
  if (process.env["ROLLCALL_REQUIRE_PEERS"] === "1")
    throw new Error(`${name}: ${what}; run: ${INSTALL_COMMAND}`);
  process.stderr.write(`LEFT OUT: ${name} (${what}). To run it: ${INSTALL_COMMAND}\n`);
  describe.skip(`${name} [left out: ${what}]`, suite);
}
