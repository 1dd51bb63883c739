import { generateKeyPairSync, verify } from 'node:crypto';
import { type LoggedEvent, splitCallback } from '@clickrelay/core';
import { samples } from '@clickrelay/simulator';
import type { ReceivedRequest } from '@clickrelay/testkit';
import { CloudEvent, HTTP } from 'cloudevents';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { failure, sampleAttempt } from '../test/sample-attempt.ts';
import { listen, open } from '../test/use-webhook.ts';
import { webhookConfig } from './config.ts';
import { generateSecret } from './secret.ts';

// What arrives at a destination, read by other people's libraries.

const events: LoggedEvent[] = [samples.reply, samples.status].flatMap((envelope) =>
  splitCallback(JSON.stringify(envelope), '2026-11-22T10:00:00.000Z'),
);

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const seed = Buffer.from(privateKey.export({ format: 'jwk' }).d as string, 'base64url').toString('base64');
const shared = generateSecret();

const openSigned = async (settings: Record<string, unknown>) => {
  const server = await listen();
  return { server, destination: open(server.url, { secret: [shared, `whsk_${seed}`], ...settings }) };
};

/** Verifies as a consumer with either key does. */
const verifyBoth = ({ headers, body }: ReceivedRequest): void => {
  const given = headers as Record<string, string>;
  new Webhook(shared).verify(body, given);
  const [, ours = ''] = /(?:^| )v1a,(\S+)/.exec(given['webhook-signature'] ?? '') ?? [];
  const signed = Buffer.from(`${given['webhook-id']}.${given['webhook-timestamp']}.${body}`);
  expect(verify(null, signed, publicKey, Buffer.from(ours, 'base64'))).toBe(true);
};

const TRANSFORM = '{ "kind": type, "who": from, "said": [data.text, data.name], "raw": raw }';
const transformed = ({ event }: LoggedEvent) =>
  JSON.parse(
    JSON.stringify({
      kind: event.type,
      who: event.from ?? undefined,
      said: [event.data['text'], event.data['name']].filter((one) => one !== undefined),
      raw: event.raw,
    }),
  );

describe.each([
  ['as it is', {}, ({ event }: LoggedEvent) => JSON.parse(JSON.stringify(event))],
  ['transformed', { transform: TRANSFORM }, transformed],
])('every sample, %s', (_, settings, expected) => {
  test.each(['event', 'cloudevents', 'cloudevents-binary'])('%s', async (format) => {
    const { server, destination } = await openSigned({ format, ...settings });
    for (const event of events) await destination.deliver(sampleAttempt({ event }));
    const requests = await server.waitFor(events.length);
    for (const [index, request] of requests.entries()) {
      const event = events[index] as LoggedEvent;
      verifyBoth(request);
      if (format === 'event') {
        expect(JSON.parse(request.body)).toMatchObject(expected(event));
        continue;
      }
      const read = HTTP.toEvent({ headers: request.headers, body: request.body });
      if (!(read instanceof CloudEvent)) throw new Error('one event was expected');
      read.validate();
      expect(read.toJSON()).toMatchObject({
        specversion: '1.0',
        id: event.event.id,
        type: `com.clickatell.${event.event.type}`,
        time: event.event.occurredAt,
        data: expected(event),
      });
    }
  });
});

describe('a transform', () => {
  test('that gives nothing is a delivery that we could not build: nothing is sent', async () => {
    const { server, destination } = await openSigned({ transform: 'data.noSuchField' });
    expect(await failure(destination.deliver(sampleAttempt()))).toMatchObject({
      code: 'delivery_not_built',
      retryable: false,
      message: `127.0.0.1:${server.port} was not called: its transform gives nothing for this event`,
    });
    expect(server.requests).toEqual([]);
  });

  test('that never ends stops neither others nor this process', async () => {
    const slow = await openSigned({ transform: '($f := function($x) { $f($x + 1) }; $f(1))' });
    const quick = await openSigned({ transform: 'type' });
    const failing = failure(slow.destination.deliver(sampleAttempt()));
    expect(await quick.destination.deliver(sampleAttempt())).toMatchObject({ status: 200 });
    expect(await failing).toMatchObject({ code: 'delivery_not_built', retryable: false });
    expect((await quick.server.waitFor(1))[0]?.body).toBe('"moText"');
  });

  test('that is stopped half-way is an attempt that was aborted', async () => {
    const { destination } = await openSigned({ transform: '($f := function($x) { $f($x + 1) }; $f(1))' });
    const stop = new AbortController();
    const stopping = failure(destination.deliver(sampleAttempt({ signal: stop.signal })));
    stop.abort();
    expect(await stopping).toMatchObject({ code: 'delivery_aborted', retryable: true });
  });

  test('and the format clickatell exclude each other', () => {
    const config = { url: 'https://crm.example.com/', format: 'clickatell', transform: 'data' };
    const { error } = webhookConfig.safeParse(config);
    expect(error?.issues).toMatchObject([
      { path: ['transform'], message: expect.stringContaining('exclude each other') },
    ]);
  });
});
