/** `[journal]`, and a zone's own `journal`. */
import type { JournalLimits } from "../zone/ports.ts";
import type { ProblemCollector } from "./mistake.ts";
import { JournalSchema } from "./schema.ts";
import type { TomlPath } from "./toml-position.ts";

/** @param otherwise what holds where the table does not say */
export function readJournal(
  problems: ProblemCollector,
  path: TomlPath,
  value: unknown,
  otherwise: JournalLimits,
): JournalLimits {
  const read = problems.read(JournalSchema, value ?? {}, path);
  return { maxAge: read?.max_age ?? otherwise.maxAge, maxBytes: read?.max_size ?? otherwise.maxBytes };
}
