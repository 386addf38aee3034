/** Ports for programs that cannot take a free one of themselves and say which it is. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below those that systems give to clients, and to listeners that leave the choice to them: between the choice of a port
 * here and its use, or while its program is down, no other socket comes to it by chance.
 */
const FIRST = 10_000;
/** Ports of one of the test runner's processes: two that run at once do not choose the same. */
const SHARE = 2_500;
const SHARES = 8;

const share = Number(process.env["VITEST_POOL_ID"] ?? 0) % SHARES;
let next = Math.floor(Math.random() * SHARE);

/** A port that nobody listens on at this address, over UDP or TCP; never the same twice. */
export async function freePort(address = "127.0.0.1"): Promise<number> {
  for (let tries = 0; tries < 20; tries++) {
    const port = FIRST + share * SHARE + (next++ % SHARE);
    if ((await isFreeOverTcp(port, address)) && (await isFreeOverUdp(port, address))) return port;
  }
  throw new Error(`no free port at ${address}`);
}

async function isFreeOverTcp(port: number, address: string): Promise<boolean> {
  const server = createServer();
  const isFree = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, address, () => resolve(true));
  });
  if (!isFree) return false;
  server.close();
  await once(server, "close");
  return true;
}

async function isFreeOverUdp(port: number, address: string): Promise<boolean> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  const isFree = await new Promise<boolean>((resolve) => {
    socket.once("error", () => resolve(false));
    socket.bind(port, address, () => resolve(true));
  });
  socket.close();
  await once(socket, "close");
  return isFree;
}
