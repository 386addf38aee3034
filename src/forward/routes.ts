/** Which forward a name belongs to: the one with the longest suffix (RFC 1034 §4.3.2 step 2 does the same for zones). */
import type { Name } from "../wire/name.ts";

export class Routes<T> {
  readonly #bySuffix = new Map<string, T>();
  readonly #suffixes: Name[] = [];

  add(suffix: Name, target: T): void {
    this.#bySuffix.set(suffix.key, target);
    this.#suffixes.push(suffix);
  }

  get suffixes(): readonly Name[] {
    return this.#suffixes;
  }

  /**
   * @param nameKey as `Name.key` has it
   * @returns the target, and the key of the suffix it was found by
   */
  find(nameKey: string): { readonly target: T; readonly suffix: string } | undefined {
    for (let at = 0; ; at += nameKey.charCodeAt(at) + 1) {
      const suffix = at === 0 ? nameKey : nameKey.slice(at);
      const target = this.#bySuffix.get(suffix);
      if (target !== undefined) return { target, suffix };
      if (nameKey.charCodeAt(at) === 0) return undefined;
    }
  }
}
