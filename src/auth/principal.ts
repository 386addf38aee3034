/** Kerberos principals (RFC 1964 §2.1.1) as update rules name them. */

/** Whether the text can be a rule's `principal`: `PRIMARY[/INSTANCE]@REALM`, with at most one `*`, before the `@`. */
export function isPrincipalPattern(text: string): boolean {
  const { local, realm } = splitPrincipal(text);
  return local !== "" && realm !== "" && !realm.includes("*") && local.split("*").length <= 2;
}

/**
 * Whether a principal matches a rule's pattern. A `*` stands for one or more characters other than `/`, so that
 * `*$@SMB.EXAMPLE` means every machine account and never a service principal. The realm must be the same to the
 * letter; the part before it is compared without regard to ASCII case, as Active Directory does.
 *
 * @param pattern one that {@link isPrincipalPattern} accepts; any other matches nothing
 */
export function matchesPrincipal(pattern: string, principal: string): boolean {
  if (!isPrincipalPattern(pattern)) return false;
  const wanted = splitPrincipal(pattern);
  const given = splitPrincipal(principal);
  if (given.local === "" || wanted.realm !== given.realm) return false;
  const local = lowerCase(given.local);
  const [before = "", after] = lowerCase(wanted.local).split("*");
  if (after === undefined) return local === before;
  if (local.length <= before.length + after.length) return false;
  if (!local.startsWith(before) || !local.endsWith(after)) return false;
  return !local.slice(before.length, local.length - after.length).includes("/");
}

/** Whether two principals are one and the same: the realm to the letter, the rest without regard to ASCII case. */
export function samePrincipal(a: string, b: string): boolean {
  const one = splitPrincipal(a);
  const other = splitPrincipal(b);
  return one.realm === other.realm && lowerCase(one.local) === lowerCase(other.local);
}

/** Divides at the last `@` that no backslash escapes; without one the realm is empty. */
export function splitPrincipal(text: string): { local: string; realm: string } {
  for (let at = text.length - 1; at >= 0; at--) {
    if (text[at] !== "@") continue;
    let backslashes = 0;
    while (text[at - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return { local: text.slice(0, at), realm: text.slice(at + 1) };
  }
  return { local: text, realm: "" };
}

/** ASCII letters in lower case. */
export function lowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
