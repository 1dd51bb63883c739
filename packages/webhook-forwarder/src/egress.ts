import { ADDRCONFIG, type LookupAddress } from 'node:dns';
import { lookup as askResolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type Range = readonly [network: Address, prefixLength: number];

/** Looks up all addresses of a name. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** Asks the operating system, as `fetch` does, and only for address families that this machine has. */
export const resolveName: Resolve = (hostname) => askResolver(hostname, { all: true, hints: ADDRCONFIG });

/** Whether an address may be called: `public` over https only, `opened` by EGRESS_ALLOW, or not at all. */
export type Verdict = 'public' | 'opened' | 'refused';

/**
 * Reads EGRESS_ALLOW.
 * @throws {RangeError} for anything but CIDR ranges: half a list would refuse what the operator meant to open
 */
export const parseRanges = (cidrs: readonly string[]): Range[] =>
  cidrs.map((cidr) => {
    if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(cidr) && !ipaddr.IPv6.isValidCIDR(cidr)) {
      throw new RangeError(`EGRESS_ALLOW must be a list of CIDR ranges such as 10.0.0.0/8 or fd00::/8, got ${cidr}`);
    }
    return ipaddr.parseCIDR(cidr);
  });

const NAT64 = parseRanges(['64:ff9b::/96', '64:ff9b:1::/48']);
const HOLDS_IPV4_LAST = [...NAT64, ...parseRanges(['::ffff:0:0/96', '::ffff:0:0:0/96', '::/96'])];
// Unspecified and loopback, which lie within the IPv4-compatible range.
const OF_ITS_OWN = parseRanges(['::/127']);
const SIX_TO_FOUR = parseRanges(['2002::/16']);
const TEREDO = parseRanges(['2001::/32']);
const GLOBAL_IPV6 = parseRanges(['2000::/3']);

const isWithin = (address: Address, ranges: readonly Range[]): boolean =>
  ranges.some(([network, prefixLength]) => network.kind() === address.kind() && address.match(network, prefixLength));

/** The IPv4 address that a translator or tunnel would call for this IPv6 address. */
const embeddedIpv4 = (address: ipaddr.IPv6): ipaddr.IPv4 | undefined => {
  const bytes = address.toByteArray();
  if (isWithin(address, OF_ITS_OWN)) return undefined;
  if (isWithin(address, HOLDS_IPV4_LAST)) return new ipaddr.IPv4(bytes.slice(12));
  if (isWithin(address, SIX_TO_FOUR)) return new ipaddr.IPv4(bytes.slice(2, 6));
  if (isWithin(address, TEREDO)) return new ipaddr.IPv4(bytes.slice(12).map((byte) => byte ^ 0xff));
  return undefined;
};

const isPublic = (address: Address): boolean => {
  // ipaddr.js says `unicast` for "in no special range". Most of IPv6 is unallocated, and refused too.
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || isWithin(address, GLOBAL_IPV6));
};

/**
 * Judges an address as the resolver or the URL parser spells it. An IPv6 address that stands for an IPv4 one (mapped,
 * compatible, NAT64, 6to4, Teredo) is judged by the IPv4 address, and is public only if its own range is opened as
 * well: `64:ff9b::/96` in EGRESS_ALLOW lets a NAT64 network call public addresses, but still no private ones.
 */
export const judgeAddress = (text: string, opened: readonly Range[]): Verdict => {
  if (isIP(text) === 0) return 'refused';
  const address = ipaddr.parse(text);
  const embedded = address instanceof ipaddr.IPv6 ? embeddedIpv4(address) : undefined;
  if (embedded !== undefined) {
    if (isWithin(embedded, opened)) return 'opened';
    return isPublic(embedded) && isWithin(address, opened) ? 'public' : 'refused';
  }
  if (isWithin(address, opened)) return 'opened';
  return isPublic(address) ? 'public' : 'refused';
};

/** Decides where this process may call. */
export interface Surroundings {
  readonly opened: readonly Range[];
  readonly resolve: Resolve;
  readonly userAgent: string;
  /** How long a connection is used again, in ms. */
  readonly connectionAgeMs: number;
}
