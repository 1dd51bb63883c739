import { ADDRCONFIG, type LookupAddress } from 'node:dns';
import { lookup as askResolver } from 'node:dns/promises';
import { isIP, type LookupFunction, Socket } from 'node:net';
import { DeliveryError } from '@clickrelay/core';
import ipaddr from 'ipaddr.js';
import { buildConnector } from 'undici';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [network: Address, prefixLength: number];

/** Looks up all addresses of a name. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** Asks the operating system, as `fetch` does, and only for address families that this machine has. */
export const resolveName: Resolve = (hostname) => askResolver(hostname, { all: true, hints: ADDRCONFIG });

/** Whether an address may be called: `public` over https only, `opened` by EGRESS_ALLOW, or not at all. */
type Verdict = 'public' | 'opened' | 'refused';

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

export interface GuardedConnector {
  open(callback: (error: Error | null, socket: Socket | null) => void): void;
  /** Drops connections that are still being opened. */
  stopOpening(): void;
}

interface GuardOptions {
  /** The only origin to call. */
  readonly url: URL;
  readonly opened: readonly Range[];
  readonly resolve: Resolve;
  readonly timeoutMs: number;
}

/**
 * Opens connections, only to addresses that may be called. A name is resolved when a connection is opened,
 * and the connection goes to the very addresses that were judged, so a resolver that changes its answer a moment later
 * changes nothing.
 */
export const guardConnections = ({ url, opened, resolve, timeoutMs }: GuardOptions): GuardedConnector => {
  const isSecure = url.protocol === 'https:';
  const mayCall = (verdict: Verdict) => verdict === 'opened' || (verdict === 'public' && isSecure);

  // Ask once at a time: the operating system answers few questions at once, and a slow name server must not delay other
  // destinations.
  let asking: Promise<LookupAddress[]> | undefined;
  const ask = (hostname: string): Promise<LookupAddress[]> => {
    asking ??= resolve(hostname).finally(() => {
      asking = undefined;
    });
    return asking;
  };

  const lookup: LookupFunction = (hostname, { all }, callback) => {
    ask(hostname).then(
      (addresses) => {
        const verdicts = addresses.map(({ address }) => judgeAddress(address, opened));
        const callable = addresses.filter((_, index) => mayCall(verdicts[index] ?? 'refused'));
        const [first] = callable;
        if (first === undefined) callback(refusal(url, verdicts.includes('public')), '');
        else if (all) callback(null, callable);
        else callback(null, first.address, first.family);
      },
      (error) => callback(error, ''),
    );
  };

  // HTTP/1.1 only: with one attempt per connection, cutting off an attempt disturbs no other.
  const connect = buildConnector({ lookup, timeout: timeoutMs, allowH2: false });
  const connecting = new Set<unknown>();
  const target = addressOf(url);

  return {
    open: (callback) => {
      // `lookup` is not called for addresses; the URL parser has normalized every spelling of them.
      if (isIP(target.hostname) !== 0) {
        const verdict = judgeAddress(target.hostname, opened);
        if (!mayCall(verdict)) {
          process.nextTick(callback, refusal(url, verdict === 'public'), null);
          return;
        }
      }
      // undici returns the socket, though its types do not say so.
      const socket: unknown = connect(target, (error, connected) => {
        connecting.delete(socket);
        callback(error, connected ?? null);
      });
      connecting.add(socket);
    },
    stopOpening: () => {
      for (const socket of connecting) if (socket instanceof Socket) socket.destroy();
    },
  };
};

const addressOf = (url: URL) => ({
  // An IPv6 address stands in brackets.
  hostname: url.hostname.replace(/^\[|\]$/g, ''),
  host: url.host,
  protocol: url.protocol,
  port: url.port || (url.protocol === 'https:' ? '443' : '80'),
});

const refusal = (url: URL, isPublicOverHttp: boolean): DeliveryError => {
  const reason = isPublicOverHttp
    ? 'was not called over http: use https, or open its address with `EGRESS_ALLOW`'
    : 'was not called: its address is private or reserved; `EGRESS_ALLOW` opens such ranges';
  // Retryable: EGRESS_ALLOW may have been forgotten, or the name may point elsewhere tomorrow.
  return new DeliveryError('destination_refused', `${url.host} ${reason}`, { retryable: true });
};
