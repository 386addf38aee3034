/** The portable transport: says what it is, counts over sockets that come and go, warns where it may answer wrongly. */
import { describe, expect, test } from "vitest";
import { PortableUdp } from "../../../src/server/portable-udp.ts";
import { askUdp } from "../../support/sockets.ts";
import { messageOf, silent } from "./transport.ts";

const echo = new PortableUdp("a test", (message, _peer, sink) => sink.send(message), silent);

describe("the portable transport", () => {
  test("says why it serves", () => {
    expect(echo.description).toBe("the control thread (dgram: a test)");
  });

  test("counts what came by sockets that are closed, too", async () => {
    for (let round = 1; round <= 2; round++) {
      const endpoint = await echo.open("127.0.0.1", 0);
      expect(await askUdp(endpoint, messageOf(7, 20))).toHaveLength(20);
      await expect.poll(() => echo.counters).toMatchObject({ received: round, sent: round });
      await endpoint.close();
      expect(echo.counters).toMatchObject({ received: round, sent: round, ignored: 0, sendErrors: 0 });
    }
    await echo.close();
  });

  test.each([
    ["0.0.0.0", 1],
    ["::", 1],
    ["127.0.0.1", 0],
  ])("at %s it warns %i times that answers may leave from another address", async (address, times) => {
    const warnings: object[] = [];
    const warn = (fields: object): void => void warnings.push(fields);
    const udp = new PortableUdp("a test", () => undefined, { ...silent, warn });
    const endpoint = await udp.open(address, 0);
    expect(warnings).toEqual(Array.from({ length: times }, () => ({ address })));
    await endpoint.close();
  });
});
