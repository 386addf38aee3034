/**
 * Key files in BIND's form, which `tsig-keygen` writes and `nsupdate -k` reads:
 *
 *     key "dhcp.smb.example" {
 *             algorithm hmac-sha256;
 *             secret "base64…";
 *     };
 *
 * Several keys may stand in one file; comments are `//`, `#` and C's. An algorithm may end in the number of bits its
 * MACs are cut to, as in BIND: `hmac-sha256-128`. No message ever quotes a secret.
 */
import { randomBytes } from "node:crypto";
import { Name, NameSyntaxError } from "../wire/name.ts";
import type { KeyFileToken } from "./keyfile-tokens.ts";
import { tokenize } from "./keyfile-tokens.ts";
import type { KeyRing, TsigAlgorithm, TsigKey } from "./tsig/key.ts";
import { HMAC_MD5, TSIG_ALGORITHMS, algorithmFromText, leastMacLength } from "./tsig/key.ts";

/** What is wrong in a key file. The codes are stable. */
export type KeyFileProblemCode =
  | "KEYFILE_SYNTAX" // a brace, semicolon, quote or word is missing or too many
  | "KEYFILE_STATEMENT" // something other than a `key`, or a clause a key does not have
  | "KEYFILE_NAME" // the key's name is not a domain name
  | "KEYFILE_ALGORITHM" // unknown, or a truncation it does not allow
  | "KEYFILE_MD5" // hmac-md5, which has to be allowed first
  | "KEYFILE_SECRET" // not base64, or empty
  | "KEYFILE_INCOMPLETE" // no algorithm or no secret
  | "KEYFILE_REPEATED" // a second algorithm or secret in one key
  | "KEYFILE_DUPLICATE"; // a second key of one name

export interface KeyFileProblem {
  readonly code: KeyFileProblemCode;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  readonly message: string;
  /** What to do about it. */
  readonly advice: string;
}

export interface KeyFileOptions {
  /** Takes hmac-md5 keys, which are weak. Default: false. */
  readonly allowMd5?: boolean;
  /** Keys read from other files, whose names may not come again. */
  readonly known?: KeyRing;
}

/**
 * Reads the text of a key file. All mistakes are found in one pass; `keys` holds those that are right, but a file with
 * problems should be refused whole.
 *
 * @param file its path, for the problems
 */
export function parseKeyFile(
  text: string,
  file: string,
  options: KeyFileOptions = {},
): { readonly keys: readonly TsigKey[]; readonly problems: readonly KeyFileProblem[] } {
  const parser = new KeyFileParser(text, file, options);
  parser.parse();
  const problems = parser.problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  return { keys: parser.keys, problems };
}

/** The key as a key file, octet for octet what `tsig-keygen` prints for it. */
export function printKeyFile(key: TsigKey): string {
  const name = key.name.isRoot ? "." : key.name.toString().slice(0, -1);
  const bits = key.macLength === undefined ? "" : `-${key.macLength * 8}`;
  const secret = Buffer.from(key.secret).toString("base64");
  return `key "${name}" {\n\talgorithm ${key.algorithm.text}${bits};\n\tsecret "${secret}";\n};\n`;
}

/** A new key with a random secret, as long as the digest (RFC 2104 §3). */
export function generateKey(name: Name, algorithm: TsigAlgorithm): TsigKey {
  return { name, algorithm, secret: new Uint8Array(randomBytes(algorithm.macLength)) };
}

/** The clauses of one key, as far as they have been read. */
interface Clauses {
  algorithm?: { readonly algorithm: TsigAlgorithm; readonly macLength?: number } | undefined;
  secret?: Uint8Array | undefined;
  /** Clauses that stand in the file, right or wrong. */
  readonly seen: Set<string>;
}

class KeyFileParser {
  readonly keys: TsigKey[] = [];
  readonly problems: KeyFileProblem[] = [];
  readonly #tokens: readonly KeyFileToken[];
  readonly #file: string;
  readonly #options: KeyFileOptions;
  readonly #lineOfName = new Map<string, number>();
  #at = 0;

  constructor(text: string, file: string, options: KeyFileOptions) {
    this.#file = file;
    this.#options = options;
    this.#tokens = tokenize(text, (position, message, advice) =>
      this.#problem("KEYFILE_SYNTAX", position, message, advice),
    );
  }

  parse(): void {
    while (this.#peek().kind !== "end") {
      const token = this.#next();
      if (token.kind === ";") continue;
      if (token.kind === "word" && token.text === "key") {
        this.#key(token);
      } else if (token.kind === "}") {
        this.#problem("KEYFILE_SYNTAX", token, 'a "}" that closes nothing', "remove it");
      } else {
        const advice = 'a key file holds only keys: key "name" { algorithm hmac-sha256; secret "…"; };';
        this.#problem("KEYFILE_STATEMENT", token, '"key" was expected here', advice);
        this.#skipStatement();
      }
    }
  }

  /** `key NAME { … };`, the word `key` already read. */
  #key(start: KeyFileToken): void {
    const nameToken = this.#peek();
    let name: Name | undefined;
    if (isText(nameToken)) {
      this.#next();
      name = this.#keyName(nameToken);
    } else {
      this.#problem(
        "KEYFILE_SYNTAX",
        nameToken,
        "the name of the key was expected",
        'write key "name" { … };',
      );
    }
    if (this.#peek().kind !== "{") {
      this.#problem("KEYFILE_SYNTAX", this.#peek(), '"{" was expected', 'write key "name" { … };');
      this.#skipStatement();
      return;
    }
    this.#next();

    const clauses: Clauses = { seen: new Set() };
    while (!this.#atKeyEnd()) this.#clause(clauses);
    if (this.#peek().kind !== "}") {
      this.#problem("KEYFILE_SYNTAX", start, 'a key without its closing "}"', 'end the key with "};"');
    } else {
      this.#next();
      this.#semicolon('after "}"');
    }
    for (const clause of ["algorithm", "secret"]) {
      if (clauses.seen.has(clause)) continue;
      this.#problem("KEYFILE_INCOMPLETE", start, `a key without its ${clause}`, `add "${clause} …;" to it`);
    }
    const { algorithm, secret } = clauses;
    if (name !== undefined && algorithm !== undefined && secret !== undefined) {
      this.keys.push({ name, secret, ...algorithm });
    }
  }

  #keyName(token: KeyFileToken): Name | undefined {
    let name: Name;
    try {
      name = Name.parse(token.text);
    } catch (error) {
      if (!(error instanceof NameSyntaxError)) throw error;
      this.#problem(
        "KEYFILE_NAME",
        token,
        `"${token.text}" is not a domain name: ${error.message}`,
        "correct the name",
      );
      return undefined;
    }
    const line = this.#lineOfName.get(name.key);
    if (line !== undefined || this.#options.known?.has(name.key) === true) {
      const where = line === undefined ? "in another key file" : `in line ${line}`;
      const advice = "give each key a name of its own, or remove one of the two";
      this.#problem(
        "KEYFILE_DUPLICATE",
        token,
        `a second key "${token.text}"; the first is ${where}`,
        advice,
      );
      return undefined;
    }
    this.#lineOfName.set(name.key, token.line);
    return name;
  }

  /** `algorithm X;` or `secret "X";` */
  #clause(clauses: Clauses): void {
    const word = this.#next();
    if (word.kind === ";") return;
    if (!isClauseWord(word)) {
      const advice = 'a key has two clauses: algorithm hmac-sha256; secret "…";';
      this.#problem("KEYFILE_STATEMENT", word, '"algorithm" or "secret" was expected', advice);
      this.#skipClause();
      return;
    }
    const value = this.#peek();
    if (!isText(value)) {
      clauses.seen.add(word.text);
      this.#problem(
        "KEYFILE_SYNTAX",
        value,
        `a value was expected after "${word.text}"`,
        `write "${word.text} …;"`,
      );
      this.#skipClause();
      return;
    }
    this.#next();
    if (clauses.seen.has(word.text)) {
      this.#problem("KEYFILE_REPEATED", word, `a second ${word.text} in one key`, "keep one of the two");
    } else if (word.text === "algorithm") {
      clauses.algorithm = this.#algorithm(value);
    } else {
      clauses.secret = this.#secret(value);
    }
    clauses.seen.add(word.text);
    this.#semicolon(`after the ${word.text}`);
  }

  #algorithm(token: KeyFileToken): Clauses["algorithm"] {
    const cut = /^(.+)-([0-9]{1,4})$/.exec(token.text);
    const whole = algorithmFromText(token.text);
    const algorithm = whole ?? (cut === null ? undefined : algorithmFromText(cut[1]!));
    if (algorithm === undefined) {
      const known = TSIG_ALGORITHMS.filter((candidate) => candidate !== HMAC_MD5).map(({ text }) => text);
      // Only what looks like an algorithm's name is quoted: it may be a secret in the wrong place.
      const named = /^[a-z][a-z0-9.-]{0,19}$/i.test(token.text) ? `"${token.text}"` : "this";
      const message = `${named} is not an algorithm Rollcall knows`;
      this.#problem("KEYFILE_ALGORITHM", token, message, `use one of ${known.join(", ")}`);
      return undefined;
    }
    if (algorithm === HMAC_MD5 && this.#options.allowMd5 !== true) {
      const advice = "make a new key with rollcall key generate, or set allow_md5 = true in [tsig]";
      this.#problem("KEYFILE_MD5", token, "hmac-md5 is weak, and not allowed", advice);
      return undefined;
    }
    if (whole !== undefined || cut === null) return { algorithm };
    const bits = Number(cut[2]);
    const least = leastMacLength(algorithm) * 8;
    const most = algorithm.macLength * 8;
    if (bits % 8 !== 0 || bits < least || bits > most) {
      const message = `${algorithm.text} cannot be cut to ${bits} bits`;
      const advice = `write ${algorithm.text}, or with a multiple of 8 from ${least} to ${most}: ${algorithm.text}-${least}`;
      this.#problem("KEYFILE_ALGORITHM", token, message, advice);
      return undefined;
    }
    return { algorithm, macLength: bits / 8 };
  }

  #secret(token: KeyFileToken): Uint8Array | undefined {
    const text = token.text.replace(/\s+/g, "");
    const secret = new Uint8Array(Buffer.from(text, "base64"));
    // Node skips what is not base64; only what comes out the same again was.
    if (secret.length === 0 || Buffer.from(secret).toString("base64") !== text) {
      const what = text === "" ? "the secret is empty" : "the secret is not base64";
      this.#problem("KEYFILE_SECRET", token, what, "copy it again from where it was made, up to the last =");
      return undefined;
    }
    return secret;
  }

  /** At the "}" of a key, or where it must have been forgotten. */
  #atKeyEnd(): boolean {
    const { kind, text } = this.#peek();
    return kind === "}" || kind === "end" || (kind === "word" && text === "key");
  }

  #semicolon(where: string): void {
    if (this.#peek().kind === ";") {
      this.#next();
      return;
    }
    // The token before is where it is missing, and where the eye should go.
    const before = this.#tokens[this.#at - 1]!;
    this.#problem(
      "KEYFILE_SYNTAX",
      before,
      `";" is missing ${where}`,
      'end every clause and every key with ";"',
    );
    // Words left over belong to this clause: one problem is enough for them.
    while (isText(this.#peek()) && !isClauseWord(this.#peek()) && this.#peek().line === before.line)
      this.#next();
    if (this.#peek().kind === ";") this.#next();
  }

  /** To the end of a clause: after its ";", or before the "}" that closes the key. */
  #skipClause(): void {
    for (;;) {
      const { kind } = this.#peek();
      if (kind === "end" || kind === "}") return;
      this.#next();
      if (kind === ";") return;
      if (kind === "{") this.#skipBlock();
    }
  }

  /** To the end of a statement: after its ";", or its block, or before the next `key`. */
  #skipStatement(): void {
    for (;;) {
      const token = this.#peek();
      if (token.kind === "end" || (token.kind === "word" && token.text === "key")) return;
      this.#next();
      if (token.kind === ";") return;
      if (token.kind === "{") {
        this.#skipBlock();
        return;
      }
    }
  }

  /** After the "}" that matches a "{" already read. */
  #skipBlock(): void {
    for (let depth = 1; depth > 0;) {
      const { kind } = this.#next();
      if (kind === "end") return;
      if (kind === "{") depth++;
      else if (kind === "}") depth--;
    }
  }

  #peek(): KeyFileToken {
    return this.#tokens[this.#at]!;
  }

  /** The next token; the last one, of kind "end", over and over. */
  #next(): KeyFileToken {
    const token = this.#peek();
    if (token.kind !== "end") this.#at++;
    return token;
  }

  #problem(
    code: KeyFileProblemCode,
    at: { readonly line: number; readonly column: number },
    message: string,
    advice: string,
  ): void {
    this.problems.push({ code, file: this.#file, line: at.line, column: at.column, message, advice });
  }
}

function isText(token: KeyFileToken): boolean {
  return token.kind === "word" || token.kind === "string";
}

function isClauseWord(token: KeyFileToken): boolean {
  return token.kind === "word" && (token.text === "algorithm" || token.text === "secret");
}
