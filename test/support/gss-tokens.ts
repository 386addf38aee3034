/**
 * A program: prints first tokens of the caller's Kerberos credentials (KRB5CCNAME) for a service, one line of hexadecimal
 * each. Arguments: the service's principal, how many, and `spnego` or `kerberos`.
 */
import koffi from "koffi";

const [service = "", count = "1", mechanism = "spnego"] = process.argv.slice(2);
const gssapi = koffi.load("libgssapi_krb5.so.2");
const P = "uintptr_t";
const importName = gssapi.func(`uint32_t gss_import_name(${P}, ${P}, ${P}, ${P})`);
const initSecContext = gssapi.func(
  `uint32_t gss_init_sec_context(${P}, ${P}, ${P}, ${P}, ${P}, uint32_t, uint32_t, ${P}, ${P}, ${P}, ${P}, ${P}, ${P})`,
);

/** Native memory of 64-bit words. */
function words(length: number): { readonly address: number; readonly words: BigUint64Array } {
  const memory = new BigUint64Array(length);
  return { address: Number(koffi.address(memory.buffer)), words: memory };
}

function bytes(content: Uint8Array): number {
  const copy = content.slice();
  kept.push(copy.buffer);
  return Number(koffi.address(copy.buffer));
}
const kept: ArrayBufferLike[] = [];

/** A gss_buffer_desc or gss_OID_desc: a length and a pointer. */
function descriptor(content: Uint8Array): number {
  const memory = words(2);
  memory.words.set([BigInt(content.length), BigInt(bytes(content))]);
  kept.push(memory.words.buffer);
  return memory.address;
}

const MECHANISMS: Readonly<Record<string, readonly number[]>> = {
  spnego: [0x2b, 6, 1, 5, 5, 2],
  kerberos: [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2],
};
/** GSS_KRB5_NT_PRINCIPAL_NAME */
const PRINCIPAL_NAME = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 1];
/** mutual, replay and integrity: what Windows and nsupdate ask for */
const FLAGS = 2 | 4 | 32;

const minor = words(1);
const name = words(1);
check(
  importName(
    minor.address,
    descriptor(new TextEncoder().encode(service)),
    descriptor(Uint8Array.from(PRINCIPAL_NAME)),
    name.address,
  ) as number,
);
const mech = descriptor(Uint8Array.from(MECHANISMS[mechanism]!));
for (let i = 0; i < Number(count); i++) {
  const context = words(1);
  const token = words(2);
  check(
    initSecContext(
      minor.address,
      0,
      context.address,
      Number(name.words[0]),
      mech,
      FLAGS,
      0,
      0,
      0,
      0,
      token.address,
      0,
      0,
    ) as number,
  );
  const view = koffi.view(token.words[1], Number(token.words[0]));
  process.stdout.write(`${Buffer.from(view).toString("hex")}\n`);
}

function check(major: number): void {
  if (major > 0xffff) throw new Error(`GSS-API error ${major}, minor ${minor.words[0]}`);
}
