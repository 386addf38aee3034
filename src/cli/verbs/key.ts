/** `rollcall key generate`: a new TSIG key, as the key file that `nsupdate -k`, BIND and Knot read. */
import { writeFileSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { generateKey, printKeyFile } from "../../auth/keyfile.ts";
import { HMAC_MD5, TSIG_ALGORITHMS, algorithmFromText } from "../../auth/tsig/key.ts";
import type { TsigAlgorithm } from "../../auth/tsig/key.ts";
import { didYouMean } from "../../config/suggest.ts";
import { Name } from "../../wire/name.ts";
import { nameArgument, withExamples } from "../command.ts";
import { CommandError, print, printJson } from "../output.ts";

const ALGORITHMS = TSIG_ALGORITHMS.filter((algorithm) => algorithm !== HMAC_MD5).map(({ text }) => text);

interface KeyOptions {
  readonly algorithm: TsigAlgorithm;
  readonly out?: string;
  readonly json?: true;
}

export function addKeyCommands(program: Command): void {
  const key = program.command("key").description("make TSIG keys");
  const generate = key
    .command("generate")
    .description("print a new TSIG key as a key file")
    .argument("<name>", "name of the key, e.g. dhcp.smb.example", nameArgument)
    .option(
      "-a, --algorithm <algorithm>",
      `one of ${ALGORITHMS.join(", ")}`,
      algorithmArgument,
      algorithmArgument("hmac-sha256"),
    )
    .option("-o, --out <file>", "write it to a new file of mode 0600 instead")
    .option("--json", "print JSON for programs");
  withExamples(generate, [
    "rollcall key generate dhcp.smb.example --out keys.conf",
    "rollcall key generate xfr.smb.example -a hmac-sha512",
    "(umask 077; rollcall key generate dhcp.smb.example >> keys.conf)",
  ]).action(generateCommand);
}

async function generateCommand(name: string, { algorithm, out, json }: KeyOptions): Promise<void> {
  const key = generateKey(Name.parse(name), algorithm);
  const text = printKeyFile(key);
  if (out !== undefined) {
    try {
      // "wx": an existing file may hold keys that something still uses.
      writeFileSync(out, text, { mode: 0o600, flag: "wx" });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== "EEXIST")
        throw new CommandError("KEY_WRITE", `the key file cannot be written: ${message}`);
      const advice = `Name another file, or add to this one: rollcall key generate ${shown(name)} >> ${out}`;
      throw new CommandError("KEY_WRITE", `${out} exists already`, { advice });
    }
  }
  if (json === true) {
    const secret = Buffer.from(key.secret).toString("base64");
    await printJson({
      name: shown(name),
      algorithm: algorithm.text,
      ...(out === undefined ? { secret } : { file: out }),
    });
  } else {
    await print(out === undefined ? text : `${out}\n`);
  }
}

function shown(name: string): string {
  return name === "." ? name : name.replace(/\.$/, "");
}

function algorithmArgument(text: string): TsigAlgorithm {
  const algorithm = /^[a-z0-9-]{1,40}$/i.test(text) ? algorithmFromText(text) : undefined;
  if (algorithm === undefined)
    throw new InvalidArgumentError(
      `"${text}" is not a TSIG algorithm. ${didYouMean(text.includes("-") ? text : `hmac-${text}`, ALGORITHMS)}`,
    );
  if (algorithm === HMAC_MD5)
    throw new InvalidArgumentError("hmac-md5 is weak: no new keys are made with it.");
  return algorithm;
}
