/**
 * How many of something each source has open. An address of IPv4 is one source; of IPv6 both the address is and its /64,
 * since who has one address of that has all of them.
 */
import { sourceNetwork } from "./acl.ts";

export interface SourceLimits {
  readonly perAddress: number;
  /** Of one /64 of IPv6: more than of an address, as all hosts of a link share it. */
  readonly perNetwork: number;
}

/**
 * What one source may have of something that there are so many of in all: a /64 gets half of it, which leaves the hosts of
 * a link room and the others theirs.
 */
export function sourceLimits(perAddress: number, inAll: number): SourceLimits {
  return { perAddress, perNetwork: Math.max(perAddress, Math.floor(inAll / 2)) };
}

export class SourceCounts {
  readonly #counts = new Map<string, number>();

  /** Whether an address may have one more. @param address numeric, plain */
  hasRoom(address: string, { perAddress, perNetwork }: SourceLimits): boolean {
    if ((this.#counts.get(address) ?? 0) >= perAddress) return false;
    const network = sourceNetwork(address);
    return network === address || (this.#counts.get(network) ?? 0) < perNetwork;
  }

  add(address: string): void {
    this.#change(address, 1);
  }

  /** What was added is gone. */
  remove(address: string): void {
    this.#change(address, -1);
  }

  #change(address: string, by: number): void {
    const network = sourceNetwork(address);
    for (const source of network === address ? [address] : [address, network]) {
      const count = (this.#counts.get(source) ?? 0) + by;
      if (count === 0) this.#counts.delete(source);
      else this.#counts.set(source, count);
    }
  }
}
