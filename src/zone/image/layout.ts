/**
 * The zone image: one zone as flat bytes in shared memory, which the control thread alone changes and any number of
 * threads read without a lock.
 *
 *     header | heap of blocks, 16-octet units
 *
 *     table block   capacity | slot, slot, …        open addressing; a slot is EMPTY, GONE, or a node's reference with
 *                                                   four bits of its hash above
 *     node block    hash, units, children, rrsets, flags, name length
 *                   | directory: per RRset type, count, TTL, offset, length
 *                   | name, lower-cased | name as stored, only where its case differs
 *                   | per RRset: whole records as they go on the wire, owner = pointer to octet 12
 *
 * A node block never changes once a slot refers to it (its child count apart, which only the writer reads). A change
 * writes a new block and swaps one 32-bit slot, so a reader sees the old node or the new one, never half of either.
 * References count 16-octet units from the start of the buffer, so 28 bits reach 4 GiB. The four bits of the hash in a
 * slot save the way to nodes that are not meant, each of which would be a place in memory that no cache holds.
 */

/** Octets of a heap unit; a reference times this is an octet offset. */
export const UNIT = 16;
/** log2 of {@link UNIT}. */
export const UNIT_SHIFT = 4;

/** 32-bit words of the header, by index. */
export const Header = {
  /** {@link IMAGE_MAGIC}. */
  MAGIC: 0,
  /** Reference of the table block. */
  TABLE: 1,
  /** Reference of the apex node. */
  APEX: 2,
  /** Nodes, empty non-terminals among them. */
  NODES: 3,
  RECORDS: 4,
  /** Names below the apex that own NS: zone cuts. Zero lets a lookup skip the walk from the apex. */
  CUTS: 5,
  DNAMES: 6,
  /** Names whose leftmost label is `*`. Zero lets a miss be NXDOMAIN at once. */
  WILDCARDS: 7,
  /** Seed and multiplier of the hash, the same in all images of a process. */
  SEED: 8,
  MULTIPLIER: 9,
  /** How many tables there have been; counted up after {@link Header.TABLE} is swapped. */
  TABLES: 10,
} as const;

/** Octets reserved for the header. */
export const HEADER_BYTES = 64;
export const IMAGE_MAGIC = 0x524c_4331; // "RLC1"

/** The bits of a slot that are the reference; the others are the same bits of the node's hash. */
export const REFERENCE_MASK = 0x0fff_ffff;

/** Slot values that are no reference. */
export const EMPTY = 0;
export const GONE = 1;

/** Octet offsets in a node block. */
export const Node = {
  HASH: 0,
  UNITS: 4,
  CHILDREN: 8,
  RRSETS: 12, // u16
  FLAGS: 14, // u8
  NAME_LENGTH: 15, // u8
  DIRECTORY: 16,
} as const;

/** Octets of one directory entry: type u16, count u16, ttl u32, offset u32 from the block's start, length u32. */
export const ENTRY_BYTES = 16;

/** Node flags. */
export const NodeFlag = {
  NS: 1,
  CNAME: 2,
  DNAME: 4,
  /** The name as stored differs from its lower-cased form, and follows it. */
  CASED: 8,
  APEX: 16,
} as const;

/** Octets of a record in a block before its RDATA: owner pointer 2, type 2, class 2, TTL 4, RDLENGTH 2. */
export const RECORD_HEAD = 12;
/** The owner pointer stored with each record: octet 12, where the question's name stands. */
export const QNAME_POINTER = 0xc00c;
