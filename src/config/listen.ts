/** Lists of addresses to listen on. */
import type { ListenAddress } from "./config.ts";
import type { ProblemCollector } from "./mistake.ts";
import { socketAddressToText } from "./quantity.ts";
import type { TomlPath } from "./toml-position.ts";

/** Notes addresses that are listed twice. */
export function checkListen(
  problems: ProblemCollector,
  path: TomlPath,
  listen: readonly ListenAddress[],
): void {
  const seen = new Map<string, number>();
  listen.forEach((entry, index) => {
    // Port 0 takes another port each time.
    if (entry.port === 0) return;
    const text = socketAddressToText(entry);
    const first = seen.get(text);
    if (first === undefined) seen.set(text, index);
    else problems.duplicate([...path, index], `${text} is listed twice`, [...path, first]);
  });
}
