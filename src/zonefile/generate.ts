/**
 * `$GENERATE first-last[/step] lhs [ttl] [class] type rhs`, BIND's directive for rows of similar records.
 *
 * In lhs and rhs `$` stands for the counter, `$$` or `\$` for a dollar sign, and `${offset,width,base}` for the counter
 * plus offset, padded with zeros to width, in base d, o, x or X; n and N give its hexadecimal digits lowest first with
 * dots between them, as names under ip6.arpa need them.
 */

/** Records that one $GENERATE may make: every host of an IPv4 /16. */
const MAX_GENERATED = 65_536;
/** Widest padding: no label is longer. */
const MAX_WIDTH = 255;
const MAX_COUNTER = 0x7fffffff;

/** Text that is no range or template. */
export class GenerateSyntaxError extends Error {
  override readonly name = "GenerateSyntaxError";
}

export interface GenerateRange {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

/**
 * Reads `first-last` or `first-last/step`.
 * @throws GenerateSyntaxError where it is not that, counts downwards, or counts more than {@link MAX_GENERATED}.
 */
export function parseRange(text: string): GenerateRange {
  const match = /^([0-9]{1,10})-([0-9]{1,10})(?:\/([0-9]{1,10}))?$/.exec(text);
  if (match === null)
    throw new GenerateSyntaxError(`a range such as 1-100 or 0-254/2 was expected, and "${text}" was found`);
  const [first, last, step] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 1)];
  if (last > MAX_COUNTER || step > MAX_COUNTER)
    throw new GenerateSyntaxError(`"${text}" goes above ${MAX_COUNTER}`);
  if (first > last) throw new GenerateSyntaxError(`"${text}" begins above its end`);
  if (step === 0) throw new GenerateSyntaxError(`"${text}" has a step of 0`);
  const count = Math.floor((last - first) / step) + 1;
  if (count > MAX_GENERATED) {
    throw new GenerateSyntaxError(
      `"${text}" makes ${count} records, and at most ${MAX_GENERATED} are allowed`,
    );
  }
  return { first, last, step };
}

/** Writes a number, 0 to 2^31-1, at least `width` characters wide. */
type Format = (value: number, width: number) => string;

const formats: ReadonlyMap<string, Format> = new Map([
  ["d", (value, width) => value.toString(10).padStart(width, "0")],
  ["o", (value, width) => value.toString(8).padStart(width, "0")],
  ["x", (value, width) => value.toString(16).padStart(width, "0")],
  ["X", (value, width) => value.toString(16).toUpperCase().padStart(width, "0")],
  ["n", nibbles],
  ["N", (value, width) => nibbles(value, width).toUpperCase()],
]);
const DECIMAL = formats.get("d")!;

/** A place where the counter goes. */
interface Counter {
  readonly offset: number;
  readonly width: number;
  readonly format: Format;
}

/** Text with places for the counter. */
export type Template = readonly (string | Counter)[];

/**
 * Reads lhs or rhs.
 * @throws GenerateSyntaxError for a malformed `${…}`
 */
export function parseTemplate(text: string): Template {
  const parts: (string | Counter)[] = [];
  let literal = "";
  for (let at = 0; at < text.length; at++) {
    const c = text[at]!;
    if (c === "\\" && at + 1 < text.length) {
      // The escape stays, for whoever reads the field: `\$` is a dollar sign there too.
      literal += c + text[++at]!;
    } else if (c !== "$") {
      literal += c;
    } else if (text[at + 1] === "$") {
      literal += "\\$";
      at++;
    } else {
      if (literal !== "") parts.push(literal);
      literal = "";
      if (text[at + 1] === "{") {
        const close = text.indexOf("}", at);
        if (close < 0) throw new GenerateSyntaxError(`"}" was expected after "\${" in "${text}"`);
        parts.push(parseCounter(text.slice(at + 2, close)));
        at = close;
      } else {
        parts.push({ offset: 0, width: 0, format: DECIMAL });
      }
    }
  }
  if (literal !== "") parts.push(literal);
  return parts;
}

function parseCounter(text: string): Counter {
  const match = /^([+-]?[0-9]{1,10})(?:,([0-9]{1,3})(?:,([doxXnN]))?)?$/.exec(text);
  if (match === null) {
    throw new GenerateSyntaxError(
      `\${offset}, \${offset,width} or \${offset,width,base} with base d, o, x, X, n or N was expected, and "\${${text}}" was found`,
    );
  }
  const [offset, width] = [Number(match[1]), Number(match[2] ?? 0)];
  if (width > MAX_WIDTH) throw new GenerateSyntaxError(`the width of "\${${text}}" is above ${MAX_WIDTH}`);
  return { offset, width, format: formats.get(match[3] ?? "d")! };
}

/**
 * The template's text for one value of the counter.
 * @throws GenerateSyntaxError where an offset takes the counter below 0 or above 2^31-1
 */
export function expand(template: Template, value: number): string {
  let text = "";
  for (const part of template) text += typeof part === "string" ? part : counterText(part, value);
  return text;
}

function counterText({ offset, width, format }: Counter, value: number): string {
  const sum = value + offset;
  if (sum < 0 || sum > MAX_COUNTER) {
    throw new GenerateSyntaxError(
      `the offset ${offset} takes the counter ${value} out of 0 to ${MAX_COUNTER}`,
    );
  }
  return format(sum, width);
}

/** Hexadecimal digits, lowest first, dots between; the width counts digits and dots alike. */
function nibbles(value: number, width: number): string {
  let text = "";
  let rest = value;
  do {
    text += (rest & 0xf).toString(16);
    rest >>>= 4;
    if (text.length < width || rest !== 0) text += ".";
  } while (rest !== 0 || text.length < width);
  return text;
}
