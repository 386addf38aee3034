/** The zone that the steps work on: hosts with an A, every fourth with an AAAA, a name with four addresses, a service, a wildcard. */
import { RrType } from "../../../src/wire/iana/type.ts";
import { Name } from "../../../src/wire/name.ts";
import type { ResourceRecord } from "../../../src/wire/record.ts";
import { record } from "../../../src/wire/record.ts";
import { ZoneImage } from "../../../src/zone/image/image.ts";
import { soaRecord } from "../../support/model.ts";
import { SEED } from "../../support/zones.ts";

export const APEX = Name.parse("smb.example.");

export function hostName(i: number): Name {
  return Name.parse(`host${i}`, APEX);
}

/** A host's address: another in each generation. */
export function hostAddress(i: number, generation: number): ResourceRecord {
  return record(hostName(i), RrType.A, 1200, Uint8Array.of(10 + generation, i >> 16, i >> 8, i));
}

export function* hostRecords(hosts: number): Generator<ResourceRecord> {
  yield soaRecord(APEX, 1);
  const ns = Name.parse("ns1", APEX);
  yield record(APEX, RrType.NS, 3600, ns.wire);
  yield record(ns, RrType.A, 3600, Uint8Array.of(192, 0, 2, 53));
  yield record(Name.parse("*.apps", APEX), RrType.A, 60, Uint8Array.of(192, 0, 2, 60));
  const cap = Name.parse("cap", APEX);
  for (let i = 0; i < 4; i++) yield record(cap, RrType.A, 60, Uint8Array.of(10, 1, i, 1));
  const smb = Name.parse("_smb._tcp", APEX);
  for (let i = 0; i < 2; i++)
    yield record(smb, RrType.SRV, 60, Uint8Array.of(0, 0, 0, 0, 1, 189, ...hostName(i).wire));
  for (let i = 0; i < hosts; i++) {
    yield hostAddress(i, 0);
    if (i % 4 === 0) yield record(hostName(i), RrType.AAAA, 1200, new Uint8Array(16));
  }
}

export function hostZone(hosts: number): ZoneImage {
  return ZoneImage.build(APEX, hostRecords(hosts), SEED);
}
