import { describe, expect, test } from "vitest";
import { isPrincipalPattern, matchesPrincipal } from "../../../src/auth/principal.ts";

describe("a principal pattern", () => {
  test.each([
    ["NODE1$@SMB.EXAMPLE", "NODE1$@SMB.EXAMPLE", true],
    ["node1$@SMB.EXAMPLE", "NODE1$@SMB.EXAMPLE", true],
    ["NODE1$@SMB.EXAMPLE", "NODE2$@SMB.EXAMPLE", false],
    ["NODE1$@SMB.EXAMPLE", "NODE1$@smb.example", false],
    ["NODE1$@SMB.EXAMPLE", "NODE1$@OTHER.EXAMPLE", false],
    ["NODE1$@SMB.EXAMPLE", "NODE1$", false],
    ["*$@SMB.EXAMPLE", "NODE1$@SMB.EXAMPLE", true],
    ["*$@SMB.EXAMPLE", "$@SMB.EXAMPLE", false],
    ["*$@SMB.EXAMPLE", "alice@SMB.EXAMPLE", false],
    ["*$@SMB.EXAMPLE", "NODE1$@EVIL.SMB.EXAMPLE", false],
    ["*$@SMB.EXAMPLE", "NODE1$@SMB.EXAMPLE@EVIL", false],
    ["*$@SMB.EXAMPLE", "host/x$@SMB.EXAMPLE", false],
    ["*@SMB.EXAMPLE", "alice@SMB.EXAMPLE", true],
    ["*@SMB.EXAMPLE", "alice/admin@SMB.EXAMPLE", false],
    ["host/*@SMB.EXAMPLE", "HOST/node1.smb.example@SMB.EXAMPLE", true],
    ["host/*.smb.example@SMB.EXAMPLE", "host/node1.smb.example@SMB.EXAMPLE", true],
    ["host/*.smb.example@SMB.EXAMPLE", "host/smb.example@SMB.EXAMPLE", false],
    ["aa*aa@R", "aaa@R", false],
    ["aa*aa@R", "aaxaa@R", true],
    [String.raw`a\@b@R`, String.raw`a\@b@R`, true],
    // What is no pattern matches nothing, not even itself.
    ["NODE1$", "NODE1$", false],
    ["*", "NODE1$@SMB.EXAMPLE", false],
    ["*$@*", "NODE1$@SMB.EXAMPLE", false],
    ["@R", "@R", false],
  ])("%s and %s: %s", (pattern, principal, matches) => {
    expect(matchesPrincipal(pattern, principal)).toBe(matches);
  });

  test.each([
    ["node1$@SMB.EXAMPLE", true],
    ["*$@SMB.EXAMPLE", true],
    ["", false],
    ["node1$", false],
    ["node1$@", false],
    ["@SMB.EXAMPLE", false],
    ["*@*", false],
    ["*/*@SMB.EXAMPLE", false],
    [String.raw`a\@R`, false],
  ])("%j can be one: %s", (text, valid) => {
    expect(isPrincipalPattern(text)).toBe(valid);
  });
});
