import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type Cidr = readonly [Address, number];

/**
 * Reads a comma-separated list of CIDRs or single addresses.
 * @throws {Error} that names the entry
 */
export const parseCidrs = (setting: string, text: string): Cidr[] => {
  const entries = text.split(',').map((entry) => entry.trim());
  return entries
    .filter((entry) => entry !== '')
    .map((entry) => {
      if (ipaddr.isValidCIDR(entry)) return ipaddr.parseCIDR(entry);
      const address = parseAddress(entry);
      if (address) return [address, address.kind() === 'ipv4' ? 32 : 128];
      throw new Error(`${setting} holds ${entry}, which is neither an address nor a CIDR such as 10.0.0.0/8`);
    });
};

export const isWithin = (address: Address, cidrs: readonly Cidr[]): boolean => {
  // ipaddr.js throws when asked to compare the two families.
  return cidrs.some(([network, bits]) => network.kind() === address.kind() && address.match(network as never, bits));
};

/**
 * The address of the sender. Every proxy appends to X-Forwarded-For the address it was called from, so only the right
 * end can be believed: it is read from there, as long as a proxy of `trustedProxies` wrote the entry.
 * @returns undefined when a trusted proxy wrote something that is not an address
 */
export const clientAddress = (request: IncomingMessage, trustedProxies: readonly Cidr[]): Address | undefined => {
  let address = parseAddress(request.socket.remoteAddress ?? '');
  const forwarded = request.headers['x-forwarded-for'];
  if (trustedProxies.length === 0 || forwarded === undefined) return address;

  const entries = String(forwarded).split(',');
  while (address && isWithin(address, trustedProxies)) {
    const entry = entries.pop();
    if (entry === undefined) break;
    address = parseAddress(withoutPort(entry.trim()));
  }
  return address;
};

/** IPv4 mapped into IPv6, as a dual-stack socket reports it, becomes plain IPv4. */
const parseAddress = (text: string): Address | undefined => {
  // ipaddr.js also reads the old classful and octal forms: nobody means 127.1 in a list or a header.
  const valid = text.includes(':') ? ipaddr.IPv6.isValid(text) : ipaddr.IPv4.isValidFourPartDecimal(text);
  return valid ? ipaddr.process(text) : undefined;
};

/** Some proxies write `203.0.113.7:4711` or `[2001:db8::7]:4711`. */
const withoutPort = (entry: string): string =>
  /^\[(.+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry;
