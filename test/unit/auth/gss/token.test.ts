/** What a first token is, told from its outside (RFC 2743 §3.1, RFC 4178 §4.2.1). */
import { describe, expect, test } from "vitest";
import { tokenProblem } from "../../../../src/auth/gss/token.ts";
import { der, kerberosToken, OID, spnegoToken } from "../../../support/gss.ts";
import { fuzz, fuzzSettings } from "../../../support/mutate.ts";

const INNER = kerberosToken("ticket");
const NTLM = Uint8Array.from(Buffer.from("NTLMSSP\0\x01\0\0\0"));

describe("taken", () => {
  test.each([
    ["a bare AP-REQ", INNER],
    ["SPNEGO with Kerberos first", spnegoToken([OID.kerberos], INNER)],
    ["SPNEGO of Windows", spnegoToken([OID.msKerberos, OID.kerberos, OID.negoex, OID.ntlm], INNER)],
    ["a long one", spnegoToken([OID.kerberos], kerberosToken("x".repeat(20_000)))],
  ])("%s", (_, token) => {
    expect(tokenProblem(token)).toBeUndefined();
  });
});

describe("refused, and why", () => {
  test.each([
    ["nothing", new Uint8Array(0), /no token/],
    ["bare NTLM", NTLM, /NTLM/],
    ["SPNEGO of NTLM alone", spnegoToken([OID.ntlm], NTLM), /NTLM/],
    ["SPNEGO of NTLM before Kerberos", spnegoToken([OID.ntlm, OID.kerberos], NTLM), /NTLM/],
    ["SPNEGO that says Kerberos and holds NTLM", spnegoToken([OID.kerberos], NTLM), /NTLM/],
    ["SPNEGO of NEGOEX first", spnegoToken([OID.negoex, OID.kerberos], INNER), /first choice/],
    ["SPNEGO without a token", spnegoToken([OID.kerberos], undefined), /without a token/],
    ["SPNEGO without mechanisms", spnegoToken([], INNER), /malformed/],
    ["an AP-REP", kerberosToken("x", [2, 0]), /no AP-REQ/],
    ["a KRB-ERROR", kerberosToken("x", [3, 0]), /no AP-REQ/],
    ["another mechanism", der(0x60, der(0x06, [1, 2, 3]), [1, 0]), /other than Kerberos/],
    ["octets", Uint8Array.of(1, 2, 3), /no GSS-API token/],
    ["a length beyond the end", INNER.slice(0, -1), /no GSS-API token/],
    ["an indefinite length", Uint8Array.of(0x60, 0x80, 6, 1, 1, 0, 0), /no GSS-API token/],
    ["a length of four octets", Uint8Array.of(0x60, 0x84, 0, 0, 0, 3, 6, 1, 1), /no GSS-API token/],
  ])("%s", (_, token, reason) => {
    expect(tokenProblem(token)).toMatch(reason);
  });
});

test("any octets get an answer", () => {
  const corpus = [INNER, spnegoToken([OID.msKerberos, OID.kerberos], INNER), NTLM];
  let refused = 0;
  fuzz(corpus, fuzzSettings(20_000), (mutant) => {
    if (tokenProblem(mutant) !== undefined) refused++;
  });
  expect(refused).toBeGreaterThan(1000);
});
