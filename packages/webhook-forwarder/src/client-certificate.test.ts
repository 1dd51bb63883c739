import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { hasOpenssl, makeCertificates, type Pair } from '../test/make-certificates.ts';
import { failure, sampleAttempt } from '../test/sample-attempt.ts';
import { open, secret } from '../test/use-webhook.ts';
import { webhookConfig } from './config.ts';
import { completeWebhook, HIDDEN, hideSecrets, webhookDestination } from './declare.ts';
import { webhookAdapter } from './deliver.ts';

const atEnd: (() => void)[] = [];
afterEach(() => {
  for (const end of atEnd.splice(0)) end();
});

/** A destination that takes deliveries with a certificate of the authority only. */
const startServer = async (own: Pair, ca: string, version: 'TLSv1.2' | 'TLSv1.3') => {
  const clients: (string | undefined)[] = [];
  const options = { ...own, ca, requestCert: true, rejectUnauthorized: true, minVersion: version, maxVersion: version };
  const server = createServer(options, (request, response) => {
    clients.push((request.socket as TLSSocket).getPeerCertificate().subject.CN as string);
    request.resume().on('end', () => response.end('ok'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`, clients };
};

describe.runIf(hasOpenssl)('a destination that wants a client certificate', () => {
  const { authority, server: own, client } = hasOpenssl ? makeCertificates() : ({} as never);
  const stranger = hasOpenssl ? makeCertificates().client : client;

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('gets one (%s)', async (version) => {
    const { url, clients } = await startServer(own, authority.cert, version);
    const destination = open(url, { tls: { ...client, ca: authority.cert } });
    for (const _ of [1, 2, 3]) await destination.deliver(sampleAttempt());
    expect(clients).toEqual(['client', 'client', 'client']);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('refuses us without, and we say so (%s)', async (version) => {
    const { url, clients } = await startServer(own, authority.cert, version);
    const error = await failure(open(url, { tls: { ca: authority.cert } }).deliver(sampleAttempt()));
    expect(error).toMatchObject({ code: 'destination_unreachable', retryable: true });
    expect(error.message).toMatch(
      /^no answer from 127\.0\.0\.1:\d+: it .*; if it wants a client certificate, see `tls`$/,
    );
    expect(clients).toEqual([]);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'refuses one of another authority, and we say so (%s)',
    async (version) => {
      const { url, clients } = await startServer(own, authority.cert, version);
      const error = await failure(open(url, { tls: { ...stranger, ca: authority.cert } }).deliver(sampleAttempt()));
      expect(error).toMatchObject({ code: 'destination_unreachable', retryable: true });
      expect(error.message).toMatch(/certificate/);
      expect(inspect(error, { depth: 9 })).not.toContain('PRIVATE');
      expect(clients).toEqual([]);
    },
  );

  test('is told of by the end of its own certificate, once for many handshakes', async () => {
    const { url } = await startServer(own, authority.cert, 'TLSv1.3');
    const ends: number[] = [];
    const destination = webhookAdapter({ egressAllow: ['127.0.0.1/32'], userAgent: 'Clickrelay/0' }).open(
      webhookConfig.parse({ url, secret, concurrency: 1, tls: { ...client, ca: authority.cert } }),
      { onCertificate: (endsAt) => ends.push(endsAt) },
    );
    await destination.deliver(sampleAttempt());
    await Promise.all([1, 2, 3].map(() => destination.deliver(sampleAttempt())));
    await destination.close();
    expect(ends).toEqual([Date.parse(new X509Certificate(own.cert).validTo)]);
  });

  test('whose own certificate is of an authority that nobody knows is not called', async () => {
    const { url } = await startServer(own, authority.cert, 'TLSv1.3');
    const error = await failure(open(url, { tls: client }).deliver(sampleAttempt()));
    expect(error.message).toMatch(/^no answer from 127\.0\.0\.1:\d+ \(SELF_SIGNED_CERT_IN_CHAIN\)$/);
  });

  test.each([
    ['a certificate without a key', { cert: client.cert }, 'tls must hold cert and key together'],
    ['nothing', {}, 'tls must hold cert and key, or ca, or all three'],
    ['the key of another', { cert: client.cert, key: stranger.key }, 'tls.key must be the private key of tls.cert'],
    ['no PEM', { ca: 'canary' }, 'must be PEM'],
    [
      'PEM that is broken',
      { ca: '-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----' },
      'tls must hold PEM that OpenSSL can read',
    ],
  ])('%s is refused', (_, tls, message) => {
    const { error } = webhookConfig.safeParse({ url: 'https://crm.example.com/', tls });
    expect(error?.issues.map((issue) => issue.message).join()).toContain(message);
    expect(inspect(error, { depth: 9 })).not.toContain('canary');
  });

  test('is called by https', () => {
    const { error } = webhookConfig.safeParse({ url: 'http://crm.example.com/', tls: client });
    expect(error?.issues).toMatchObject([{ path: ['tls'], message: 'tls needs a url that starts with https://' }]);
  });

  test('has its key hidden, and kept when it is left out', () => {
    const declare = (settings: object) => {
      const { id, type, events, ...rest } = webhookDestination.parse({
        id: 'crm',
        type: 'webhook',
        url: 'https://crm.example.com/',
        ...settings,
      });
      return rest;
    };
    const { config } = completeWebhook(declare({ tls: client }), undefined);
    const shown = hideSecrets(config);
    expect(shown['tls']).toEqual({ cert: client.cert, key: HIDDEN });
    expect(completeWebhook(declare(shown), config).config).toEqual(config);
    expect(completeWebhook(declare({ tls: { cert: client.cert } }), config).config).toEqual(config);
    const refused = (settings: object) => () => completeWebhook(declare(settings), config);
    expect(refused({ ...shown, url: 'https://evil.example/' })).toThrow('was for another host');
    expect(refused({ tls: { cert: stranger.cert } })).toThrow('is not the key of this certificate');
  });
});
