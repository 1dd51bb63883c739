import { isIP } from 'node:net';
import { judgeAddress, type Range } from './egress.ts';

/**
 * Says why a worker with this EGRESS_ALLOW will never call a URL, as far as the text tells. A name that is none of this
 * machine is not resolved: it may point elsewhere tomorrow.
 * @param url one that `checkUrl` takes
 */
export const warningsOfUrl = (url: string, opened: readonly Range[]): string[] => {
  const { protocol, hostname, host } = new URL(url);
  const address = addressOf(hostname);
  const verdict = address === undefined ? undefined : judgeAddress(address, opened);
  if (verdict === 'refused') {
    const range = `${address}/${isIP(address as string) === 6 ? 128 : 32}`;
    return [
      `${host} is a private or reserved address, which EGRESS_ALLOW does not open here; nothing is delivered unless the worker is started with EGRESS_ALLOW=${range}`,
    ];
  }
  const isPublic = verdict === 'public' || (verdict === undefined && opened.length === 0);
  if (protocol === 'http:' && isPublic) {
    return [`${host} is called over https only: write https://, or open its address with EGRESS_ALLOW`];
  }
  return [];
};

/** Undefined for a name that a name server must be asked for. */
const addressOf = (hostname: string): string | undefined => {
  const bare = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (isIP(bare) !== 0) return bare;
  return bare === 'localhost' || bare.endsWith('.localhost') ? '127.0.0.1' : undefined;
};
