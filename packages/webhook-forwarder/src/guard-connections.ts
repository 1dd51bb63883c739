import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction, Socket } from 'node:net';
import { DeliveryError } from '@clickrelay/core';
import { buildConnector } from 'undici';
import { judgeAddress, type Range, type Resolve, type Verdict } from './egress.ts';

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
