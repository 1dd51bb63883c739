import { request } from 'node:http';
import { type LoggedEvent, splitCallback } from '@clickrelay/core';
import { createEventLog, enqueueDeliveries } from '@clickrelay/queue';
import { freePort } from '@clickrelay/service/machine';
import { fairNow, PERSON_KEY, startProgram } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { API_KEY, logEvent, useApi } from './start-api.ts';

const api = useApi();

let destinations = 0;
const addDestination = async (): Promise<string> => {
  const id = `bot-${++destinations}`;
  expect((await api.call('PUT', `/v1/destinations/${id}`, { type: 'pull', events: ['mo*'] })).status).toBe(200);
  return id;
};

const owe = async (id: string, logged?: LoggedEvent): Promise<LoggedEvent> => {
  const event = logged ?? (await logEvent(api.store));
  await enqueueDeliveries(api.store, id, [{ eventId: event.event.id }]);
  return event;
};

const lease = (id: string, body: object = {}) => api.call('POST', `/v1/destinations/${id}/lease`, body);
const answer = (id: string, verb: string, { deliveryId, leaseToken }: Record<string, unknown>, more: object = {}) =>
  api.call('POST', `/v1/destinations/${id}/${verb}`, { deliveryId, leaseToken, ...more });

describe('leasing over HTTP', () => {
  it('hands out, extends, nacks and acks, and the delivery shows every attempt', async () => {
    const id = await addDestination();
    const { event } = await owe(id);
    const { status, body } = await lease(id, { max: 10, waitMs: 2_000, leaseMs: 5_000 });
    const deliveryId = `dlv_${id}_${event.id.slice(4)}`;
    expect([status, body]).toEqual([
      200,
      {
        deliveries: [
          { deliveryId, leaseToken: expect.any(String), attempt: 1, leaseEndsAt: expect.any(String), event },
        ],
      },
    ]);
    const [first] = body.deliveries;
    const extended = await answer(id, 'extend', first, { leaseMs: 60_000 });
    expect(extended).toMatchObject({ status: 200, body: { leaseEndsAt: expect.any(String) } });
    expect(Date.parse(extended.body.leaseEndsAt)).toBeGreaterThan(Date.parse(first.leaseEndsAt));
    expect(await answer(id, 'nack', first, { error: 'the model did not answer' })).toMatchObject({
      status: 200,
      body: { deliveryId, state: 'retrying', nextAttemptAt: expect.any(String) },
    });
    expect(await answer(id, 'ack', first)).toMatchObject({ status: 409, body: { error: { code: 'lease_lost' } } });
    // A replay, so that the test need not wait for the schedule.
    expect((await api.call('POST', `/v1/deliveries/${deliveryId}/replay`)).status).toBe(202);
    const [second] = (await lease(id, { waitMs: 5_000 })).body.deliveries;
    expect(second.attempt).toBe(2);
    for (let n = 0; n < 2; n++) {
      expect(await answer(id, 'ack', second)).toMatchObject({ status: 200, body: { deliveryId, state: 'delivered' } });
    }
    expect((await api.call('GET', `/v1/deliveries/${deliveryId}`)).body).toMatchObject({
      state: 'delivered',
      attempts: [
        { outcome: 'retry', error: { code: 'nacked', message: 'the model did not answer' } },
        { outcome: 'delivered' },
      ],
    });
    // The attempt holds the consumer's text; no log line does.
    expect(JSON.stringify(api.logged)).not.toContain('the model');
  });

  it('keeps every digit of what Clickatell sent', async () => {
    const id = await addDestination();
    const text = `{"integrationId":"i","event":{"moText":[{"channel":"sms","messageId":"m${Date.now()}","big":12345678901234567890}]}}`;
    const [logged] = splitCallback(text, '2026-03-01T12:00:00.000Z') as [LoggedEvent];
    await createEventLog(api.store, { dedupeTtlMs: 3_600_000 }).append(logged.event.id, [logged], Date.now());
    await owe(id, logged);
    const headers = { authorization: `Bearer ${API_KEY}` };
    const peeked = await fetch(`${api.url}/v1/destinations/${id}/peek`, { headers });
    const leased = await fetch(`${api.url}/v1/destinations/${id}/lease`, { method: 'POST', headers });
    for (const response of [peeked, leased]) {
      expect(response.headers.get('content-type')).toContain('application/json');
      expect(await response.text()).toContain('"big":12345678901234567890');
    }
  });

  it('makes a dead letter at once of a delivery that must not be tried again; it can be replayed', async () => {
    const id = await addDestination();
    await owe(id);
    const [taken] = (await lease(id)).body.deliveries;
    const { deliveryId } = taken;
    expect((await answer(id, 'nack', taken, { error: 'x'.repeat(5_000), retry: false })).body).toEqual({
      deliveryId,
      state: 'dead_letter',
    });
    const { items } = (await api.call('GET', `/v1/dead-letters?destination=${id}`)).body;
    expect(items).toMatchObject([{ deliveryId, attempts: 1, error: 'x'.repeat(1_000) }]);
    expect((await api.call('POST', `/v1/deliveries/${deliveryId}/replay`)).status).toBe(202);
    expect((await lease(id)).body.deliveries).toHaveLength(1);
  });

  it('peeks at waiting deliveries or at logged events without taking them', async () => {
    const id = await addDestination();
    const { event } = await owe(id);
    const peek = async (query: string) => (await api.call('GET', `/v1/destinations/${id}/peek${query}`)).body;
    expect(await peek('')).toEqual({
      deliveries: [{ deliveryId: `dlv_${id}_${event.id.slice(4)}`, attempt: 1, event }],
      source: 'waiting',
    });
    expect((await lease(id)).body.deliveries).toHaveLength(1);
    expect(await peek('?limit=3')).toEqual({ deliveries: [], source: 'waiting' });
    await logEvent(api.store, 'messageStatusUpdate');
    const newest = await logEvent(api.store);
    expect(await peek('?recent=true')).toMatchObject({ deliveries: [{ event: newest.event }], source: 'log' });
  });

  it.each([
    ['no such destination', 'no-such', {}, 404, 'destination_not_found'],
    ['one that is delivered to', 'crm', {}, 409, 'not_a_pull_destination'],
    ['too many at once', 'crm', { max: 101 }, 400, 'invalid_request'],
    ['a wait that is too long', 'crm', { waitMs: 30_001 }, 400, 'invalid_request'],
    ['a lease that is too short', 'crm', { leaseMs: 999 }, 400, 'invalid_request'],
  ])('refuses %s', async (_, id, body, status, code) => {
    await api.call('PUT', '/v1/destinations/crm', { type: 'webhook', url: 'https://crm.example.com' });
    expect(await lease(id, body)).toMatchObject({ status, body: { error: { code } } });
    if (status === 400) return;
    for (const verb of ['ack', 'nack', 'extend']) {
      const refused = await answer(id, verb, { deliveryId: `dlv_${id}_${'a'.repeat(22)}`, leaseToken: 'x' });
      expect(refused).toMatchObject({ status, body: { error: { code } } });
    }
    expect((await api.call('GET', `/v1/destinations/${id}/peek`)).body.error.code).toBe(code);
  });

  it('does not find a delivery that never existed', async () => {
    const id = await addDestination();
    const unknown = { deliveryId: `dlv_${id}_${'a'.repeat(22)}`, leaseToken: 'x' };
    for (const verb of ['ack', 'nack', 'extend']) {
      expect(await answer(id, verb, unknown)).toMatchObject({
        status: 404,
        body: { error: { code: 'delivery_not_found' } },
      });
    }
  });

  it('answers a waiting consumer as soon as an event arrives', async () => {
    const id = await addDestination();
    const waiting = lease(id, { waitMs: 20_000 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const addedAt = fairNow();
    await owe(id);
    expect((await waiting).body.deliveries).toHaveLength(1);
    expect(fairNow() - addedAt).toBeLessThan(5_000);
  });

  /** Sends a request, and disconnects after `ms` without reading anything. */
  const askAndGo = async (id: string, body: object, ms: number): Promise<void> => {
    const headers = { authorization: `Bearer ${API_KEY}` };
    const asking = request(`${api.url}/v1/destinations/${id}/lease`, { method: 'POST', headers });
    asking.on('error', () => {});
    asking.on('response', (response) => response.pause());
    asking.end(JSON.stringify(body));
    await new Promise((resolve) => setTimeout(resolve, ms));
    await new Promise<void>((resolve) => asking.on('close', resolve).destroy());
  };

  it('leases nothing to a consumer that closed its connection while it waited', async () => {
    const id = await addDestination();
    await Promise.all([1, 2, 3].map(() => askAndGo(id, { waitMs: 20_000, max: 2 }, 200)));
    await owe(id);
    const { deliveries } = (await lease(id, { waitMs: 10_000 })).body;
    expect(deliveries).toMatchObject([{ attempt: 1 }]);
  });

  it('takes back a delivery whose answer could not be sent, as if it had never been leased', async () => {
    const id = await addDestination();
    const count = 3;
    // Each is more than the buffers of a socket hold: on a busy machine an answer may have one only.
    for (let n = 0; n < count; n++)
      await owe(id, await logEvent(api.store, 'moText', { content: 'x'.repeat(12_000_000) }));
    await askAndGo(id, { max: count, leaseMs: 600_000 }, 500);
    const found: { attempt: number }[] = [];
    while (found.length < count) {
      const { deliveries } = (await lease(id, { max: count, waitMs: 20_000 })).body;
      if (deliveries.length === 0) break;
      found.push(...deliveries);
    }
    expect(found.map(({ attempt }) => attempt)).toEqual(Array(count).fill(1));
  });
});

describe('an API that is killed under load', () => {
  const main = new URL('../src/main.ts', import.meta.url).pathname;

  it('loses nothing: leased deliveries come back, acked ones do not', async () => {
    const id = await addDestination();
    const count = 30;
    for (let n = 0; n < count; n++) await owe(id);
    const start = async () => {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const env = { API_PORT: String(port), REDIS_URL: api.redis.url, PERSON_KEY, API_KEY };
      return { url, program: await startProgram({ args: [main], env, ipc: true, readyUrl: `${url}/healthz` }) };
    };
    const call = async (url: string, verb: string, body: object) => {
      const response = await fetch(`${url}/v1/destinations/${id}/${verb}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${API_KEY}` },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: JSON.parse(await response.text()) };
    };
    const acked: string[] = [];
    const first = await start();
    let killed: Promise<unknown> | undefined;
    const consume = async (url: string): Promise<void> => {
      for (;;) {
        const { status, body } = await call(url, 'lease', { max: 2, waitMs: 8_000, leaseMs: 2_000 });
        // The API is up before Redis is connected.
        if (status === 503) continue;
        if (body.deliveries.length === 0) return;
        for (const delivery of body.deliveries) {
          const { deliveryId, leaseToken } = delivery;
          if ((await call(url, 'ack', { deliveryId, leaseToken })).status === 200) acked.push(deliveryId);
          if (acked.length === 5) killed ??= first.program.stop('SIGKILL');
        }
      }
    };
    const consumers = Promise.allSettled([consume(first.url), consume(first.url), consume(first.url)]);
    await consumers;
    await killed;
    const before = acked.length;
    expect(before).toBeLessThan(count);
    const second = await start();
    await consume(second.url);
    await second.program.stop('SIGTERM');
    const { destinations: all } = (await api.call('GET', '/v1/status')).body;
    expect(all.find((one: { id: string }) => one.id === id)).toMatchObject({
      waiting: 0,
      delayed: 0,
      active: 0,
      deadLetters: 0,
    });
    // The kill may cut off the answer to one ack of each of the three consumers. All other deliveries are acked.
    expect(new Set(acked).size).toBeGreaterThanOrEqual(count - 3);
  });
});
