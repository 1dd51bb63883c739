import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { DeliveryError, HOUR_MS } from '@clickrelay/core';
import { buildConnector } from 'undici';
import { judgeAddress, type Range, type Resolve, type Verdict } from './egress.ts';
import { openTunnel, type ProxySettings } from './http/tunnel.ts';
import { endedHandshake } from './no-answer.ts';
import type { Tls } from './tls.ts';

type Opened = (error: Error | null, socket: Socket | null) => void;

export interface GuardedConnector {
  open(callback: Opened): void;
  /** Drops connections that are still being opened. */
  stopOpening(): void;
}

export interface GuardOptions {
  /** The only origin to call. */
  readonly url: URL;
  readonly opened: readonly Range[];
  readonly resolve: Resolve;
  readonly timeoutMs: number;
  readonly tls?: Tls | undefined;
  readonly proxy?: ProxySettings | undefined;
  /** Told at a handshake with `url`, at most once an hour, when its certificate ends, in ms since 1970. */
  readonly onCertificate?: ((endsAt: number) => void) | undefined;
}

/** A proxy may resolve names that this machine cannot: its own resolver is not waited for longer than this, in ms. */
const NAME_WAIT_MS = 1_000;

/**
 * Opens connections, only to addresses that may be called. A name is resolved when a connection is opened, and the
 * connection goes to the very addresses that were judged, so a resolver that changes its answer a moment later changes
 * nothing.
 *
 * With a proxy this holds for the proxy's own address. The proxy resolves the destination's name itself: that name is
 * judged before, as far as it can be resolved here.
 */
export const guardConnections = (options: GuardOptions): GuardedConnector => {
  const { url, timeoutMs, tls, proxy, onCertificate } = options;
  const noteCertificate = onCertificate && certificateReader(onCertificate);
  const connecting = new Set<unknown>();

  const openDirectly = (to: URL, judge: Judge, settings?: Tls) => {
    // HTTP/1.1 only: with one attempt per connection, cutting off an attempt disturbs no other.
    const connect = buildConnector({ ...settings, lookup: judge.lookup, timeout: timeoutMs, allowH2: false });
    return (callback: Opened, httpSocket?: Socket): void => {
      // undici returns the socket, though its types do not say so.
      const socket: unknown = connect({ ...addressOf(to), ...(httpSocket && { httpSocket }) }, (error, opened) => {
        connecting.delete(socket);
        if (to === url && opened instanceof TLSSocket) noteCertificate?.(opened);
        const isInHandshake = to.protocol === 'https:' && codeOf(error) === 'ECONNRESET';
        callback(isInHandshake ? endedHandshake(to.host, 'ECONNRESET') : error, opened ?? null);
      });
      connecting.add(socket);
    };
  };

  const target = judgeOrigin(url, options);
  const stopOpening = () => {
    for (const socket of connecting) if (socket instanceof Socket) socket.destroy();
  };
  const guarded =
    (judge: Judge, open: (callback: Opened) => void) =>
    (callback: Opened): void => {
      const refused = judge.literal();
      if (refused === undefined) open(callback);
      else process.nextTick(callback, refused, null);
    };

  if (proxy === undefined) return { open: guarded(target, openDirectly(url, target, tls)), stopOpening };

  const proxyUrl = new URL(proxy.url);
  const openToProxy = judgeOrigin(proxyUrl, options);
  const openProxy = guarded(openToProxy, openDirectly(proxyUrl, openToProxy));
  const openTls = openDirectly(url, target, tls);
  const openThrough = (callback: Opened): void =>
    openProxy((error, socket) => {
      if (socket === null) return callback(error, null);
      connecting.add(socket);
      const { hostname, port } = addressOf(url);
      const targetHost = `${isIP(hostname) === 6 ? `[${hostname}]` : hostname}:${port}`;
      openTunnel(socket, { proxy, target: targetHost, timeoutMs }, (refused) => {
        connecting.delete(socket);
        if (refused !== null) callback(refused, null);
        else if (url.protocol === 'https:') openTls(callback, socket);
        else callback(null, socket);
      });
    });
  return {
    open: guarded(target, (callback) => {
      target.name().then((refused) => (refused === undefined ? openThrough(callback) : callback(refused, null)));
    }),
    stopOpening,
  };
};

/** Looking at a certificate takes longer than the rest of opening a connection. */
const CERTIFICATE_EVERY_MS = HOUR_MS;

const certificateReader = (onCertificate: (endsAt: number) => void): ((socket: TLSSocket) => void) => {
  let lastAt = Number.NEGATIVE_INFINITY;
  return (socket) => {
    if (performance.now() - lastAt < CERTIFICATE_EVERY_MS) return;
    // A resumed session may not show it again.
    const endsAt = Date.parse(socket.getPeerCertificate().valid_to ?? '');
    if (Number.isNaN(endsAt)) return;
    lastAt = performance.now();
    onCertificate(endsAt);
  };
};

const codeOf = (error: NodeJS.ErrnoException | null): string | undefined => error?.code;

const addressOf = (url: URL) => ({
  hostname: url.hostname.replace(/^\[|\]$/g, ''),
  host: url.host,
  protocol: url.protocol,
  port: url.port || (url.protocol === 'https:' ? '443' : '80'),
});

/** Says which addresses of one origin may be called. */
interface Judge {
  /** The refusal of an origin that is an address. The URL parser has normalized every spelling of it. */
  literal(): DeliveryError | undefined;
  /** Resolves a name to what may be called. */
  readonly lookup: LookupFunction;
  /** The refusal of a name of which it is known here that no address may be called. */
  name(): Promise<DeliveryError | undefined>;
}

const judgeOrigin = (url: URL, { opened, resolve }: Pick<GuardOptions, 'opened' | 'resolve'>): Judge => {
  const { hostname } = addressOf(url);
  const isSecure = url.protocol === 'https:';
  const mayCall = (verdict: Verdict) => verdict === 'opened' || (verdict === 'public' && isSecure);

  // Ask once at a time: the operating system answers few questions at once, and a slow name server must not delay other
  // destinations.
  let asking: Promise<LookupAddress[]> | undefined;
  const ask = (): Promise<LookupAddress[]> => {
    asking ??= resolve(hostname).finally(() => {
      asking = undefined;
    });
    return asking;
  };
  const judge = (addresses: LookupAddress[]): { callable: LookupAddress[]; refused: DeliveryError } => {
    const verdicts = addresses.map(({ address }) => judgeAddress(address, opened));
    return {
      callable: addresses.filter((_, index) => mayCall(verdicts[index] ?? 'refused')),
      refused: refusal(url, verdicts.includes('public')),
    };
  };

  return {
    literal: () => {
      if (isIP(hostname) === 0) return undefined;
      const verdict = judgeAddress(hostname, opened);
      return mayCall(verdict) ? undefined : refusal(url, verdict === 'public');
    },
    lookup: (_, { all }, callback) => {
      ask().then(
        (addresses) => {
          const { callable, refused } = judge(addresses);
          const [first] = callable;
          if (first === undefined) callback(refused, '');
          else if (all) callback(null, callable);
          else callback(null, first.address, first.family);
        },
        (error) => callback(error, ''),
      );
    },
    name: async () => {
      if (isIP(hostname) !== 0) return undefined;
      const late = new Promise<LookupAddress[]>((resolveLate) => {
        setTimeout(resolveLate, NAME_WAIT_MS, []).unref();
      });
      const addresses = await Promise.race([ask().catch(() => []), late]);
      const { callable, refused } = judge(addresses);
      return addresses.length > 0 && callable.length === 0 ? refused : undefined;
    },
  };
};

const refusal = (url: URL, isPublicOverHttp: boolean): DeliveryError => {
  const reason = isPublicOverHttp
    ? 'was not called over http: use https, or open its address with `EGRESS_ALLOW`'
    : 'was not called: its address is private or reserved; `EGRESS_ALLOW` opens such ranges';
  // Retryable: EGRESS_ALLOW may have been forgotten, or the name may point elsewhere tomorrow.
  return new DeliveryError('destination_refused', `${url.host} ${reason}`, { retryable: true });
};
