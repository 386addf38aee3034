/** Files with secrets in them: read whole, and refused where others than those meant may read or change them. */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { Mistake } from "./mistake.ts";

/** Octets that such a file may have: thousands of keys. */
const MAX_OCTETS = 4 * 1024 * 1024;

/** What is said of one kind of file. */
export interface SecretFileKind {
  /** `key file` */
  readonly name: string;
  readonly code: "CONFIG_KEY_FILE" | "CONFIG_KEYTAB";
  /** Permission bits that it may not have. */
  readonly forbidden: number;
  /** What it means that it has one of them. */
  readonly exposed: string;
  /** What to do where there is no such file, and where it may not be opened. */
  readonly missingAdvice: (file: string) => string;
  readonly deniedAdvice: string;
}

/** The octets of a file, or what keeps them from being used. */
export function readSecretFile(file: string, kind: SecretFileKind): Uint8Array | Mistake {
  const { name, code, forbidden, exposed, missingAdvice, deniedAdvice } = kind;
  let fd: number;
  try {
    fd = openSync(file, "r");
  } catch (error) {
    const failure = error as NodeJS.ErrnoException;
    return failure.code === "ENOENT"
      ? new Mistake(code, `the ${name} ${file} does not exist`, missingAdvice(file))
      : new Mistake(code, `the ${name} cannot be read: ${failure.message}`, deniedAdvice);
  }
  try {
    // Of the open file, so that nobody can put another in its place between the look and the read.
    const { mode, size } = fstatSync(fd);
    if (process.platform !== "win32" && (mode & forbidden) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, "0");
      const message = `the ${name} ${file} has mode ${octal}: ${exposed}`;
      return new Mistake("CONFIG_KEY_MODE", message, `Run: chmod 600 ${file}`);
    }
    if (size > MAX_OCTETS) return new Mistake(code, `the ${name} ${file} is over ${MAX_OCTETS} octets`);
    return readFileSync(fd);
  } catch (error) {
    return new Mistake(code, `the ${name} ${file} cannot be read: ${(error as Error).message}`);
  } finally {
    closeSync(fd);
  }
}
