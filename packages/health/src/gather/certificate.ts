import { connect } from 'node:tls';

/** A day: it changes every few weeks. What was not reached is tried again sooner. */
const EVERY_MS = 86_400_000;
const TRY_AGAIN_MS = 600_000;
const HANDSHAKE_MS = 5_000;

/**
 * When the certificate at an https address ends: a handshake now and then, no request, and nobody waits for it. Null for
 * an address without TLS, and for one that is not reached from here: Clickatell comes from outside.
 */
export const watchCertificate = (address: string | null): (() => number | null) => {
  let endsAt: number | null = null;
  let nextAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (address?.startsWith('https:') && now >= nextAt) {
      nextAt = now + TRY_AGAIN_MS;
      void readEnd(new URL(address)).then((found) => {
        if (found === null) return;
        endsAt = found;
        nextAt = now + EVERY_MS;
      });
    }
    return endsAt;
  };
};

const readEnd = ({ hostname, port }: URL): Promise<number | null> =>
  new Promise((resolve) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    const isName = /[g-z]/i.test(host);
    const socket = connect({
      host,
      port: Number(port) || 443,
      ...(isName && { servername: host }),
      // One that has ended, or that nobody trusts, is looked at too.
      rejectUnauthorized: false,
    });
    const end = (found: number | null): void => {
      socket.destroy();
      resolve(found);
    };
    socket.setTimeout(HANDSHAKE_MS, () => end(null));
    socket.once('error', () => end(null));
    socket.once('secureConnect', () => {
      const at = Date.parse(socket.getPeerCertificate().valid_to);
      end(Number.isNaN(at) ? null : at);
    });
  });
