/** DNS CLASSes (RFC 1035 §3.2.4, RFC 2136 §2.4 for NONE). */

export const RrClass = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 } as const;

const nameOf = new Map<number, string>(Object.entries(RrClass).map(([name, number]) => [number, name]));

/** The mnemonic of a class, or `CLASSn` (RFC 3597 §5). */
export function classToText(value: number): string {
  return nameOf.get(value) ?? `CLASS${value}`;
}

/** The number of a class mnemonic or `CLASSn`, in any case; undefined where the text is neither. */
export function classFromText(text: string): number | undefined {
  const upper = text.toUpperCase();
  for (const [number, name] of nameOf) if (name === upper) return number;
  const generic = /^CLASS([0-9]{1,5})$/.exec(upper);
  if (generic === null) return undefined;
  const number = Number(generic[1]);
  return number <= 0xffff ? number : undefined;
}
