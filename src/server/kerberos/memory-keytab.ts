/**
 * A keytab copied into the library's memory, so that what happens to its file afterwards – it is renewed, half written,
 * lost – changes nothing until a reload has found the new one good.
 */
import type { Gssapi } from "./gssapi.ts";

/** A copy; its keys go when it is closed and no credential refers to it any more. */
export interface MemoryKeytab {
  /** For the credential store: `MEMORY:…`. */
  readonly name: string;
  readonly keys: number;
  close(): void;
}

/** Enough for a krb5_keytab_entry (56 octets) and for a cursor. */
const ENTRY_BYTES = 128;
let copies = 0;

/**
 * Copies the keys of a keytab file.
 * @param principal only this one's keys, where it is given
 * @returns why it cannot be read, in the library's words
 */
export function copyKeytab(api: Gssapi, path: string, principal: string | undefined): MemoryKeytab | string {
  const { krb5 } = api;
  const memory = api.allocate(64 + ENTRY_BYTES);
  const view = new DataView(memory.buffer);
  const at = (offset: number): number => Number(view.getBigUint64(offset, true));
  const [context, file, copy, cursor, name, entry] = [0, 8, 16, 24, 32, 64].map(
    (offset) => memory.address + offset,
  ) as [number, number, number, number, number, number];

  let code = krb5.initContext(context);
  if (code !== 0) return `Kerberos cannot be set up: error ${code}`;
  const krb = at(0);
  const because = (what: string): string => {
    const text = krb5.getErrorMessage(krb, code);
    const reason = api.text(text);
    krb5.freeErrorMessage(krb, text);
    return `${what}: ${reason}`;
  };
  const freeContext = (): void => krb5.freeContext(krb);

  code = krb5.ktResolve(krb, `FILE:${path}`, file);
  if (code !== 0) {
    const reason = because("it cannot be opened");
    freeContext();
    return reason;
  }
  const label = `MEMORY:rollcall-${process.pid}-${++copies}`;
  code = krb5.ktResolve(krb, label, copy);
  if (code !== 0) {
    const reason = because("there is no memory for it");
    krb5.ktClose(krb, at(8));
    freeContext();
    return reason;
  }
  const close = (): void => {
    krb5.ktClose(krb, at(16));
    freeContext();
  };

  let keys = 0;
  code = krb5.ktStartSeqGet(krb, at(8), cursor);
  let problem = code === 0 ? undefined : because("it cannot be read");
  if (code === 0) {
    while (problem === undefined && krb5.ktNextEntry(krb, at(8), entry, cursor) === 0) {
      // The principal is the second field, after the magic number.
      if (principal === undefined || nameOf(at(64 + 8)) === principal) {
        code = krb5.ktAddEntry(krb, at(16), entry);
        if (code === 0) keys++;
        else problem = because("a key of it cannot be taken");
      }
      krb5.freeKeytabEntryContents(krb, entry);
    }
    krb5.ktEndSeqGet(krb, at(8), cursor);
  }
  krb5.ktClose(krb, at(8));
  if (problem === undefined && keys === 0) problem = "it has no key that may be used";
  if (problem !== undefined) {
    close();
    return problem;
  }
  return { name: label, keys, close };

  function nameOf(pointer: number): string | undefined {
    if (krb5.unparseName(krb, pointer, name) !== 0) return undefined;
    const text = api.text(at(32));
    krb5.freeUnparsedName(krb, at(32));
    return text;
  }
}
