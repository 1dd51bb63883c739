import { readDestination } from '@clickrelay/queue';
import { expect, it } from 'vitest';
import { useApi } from './start-api.ts';

/* Two people change one destination at the same moment. */

const api = useApi({ rateLimit: { max: 1_000_000, spanMs: 1_000 } });
const path = '/v1/destinations/crm';
const ROUNDS = 30;

/** Other settings in every round. */
const put = (round: number) =>
  api.call('PUT', path, { type: 'webhook', url: `https://crm.example.com/${round}`, events: ['mo*'] });

it('a pause that was answered is not undone by other settings, nor are they by the pause', async () => {
  await put(0);
  for (let round = 1; round <= ROUNDS; round++) {
    await api.call('POST', `${path}/resume`);
    await Promise.all([put(round), api.call('POST', `${path}/pause`, { reason: 'moving' })]);
    expect(await readDestination(api.store, 'crm')).toMatchObject({
      paused: 'moving',
      config: { url: `https://crm.example.com/${round}` },
    });
  }
});

it('a secret that a rotation showed is kept by other settings', async () => {
  await put(0);
  for (let round = 1; round <= ROUNDS; round++) {
    const [, rotated] = await Promise.all([
      put(round),
      api.call('POST', `${path}/rotate-secret`, { keepOldFor: '0s' }),
    ]);
    expect((await readDestination(api.store, 'crm'))?.config).toMatchObject({
      url: `https://crm.example.com/${round}`,
      secret: rotated.body.secrets.map(({ secret }: { secret: string }) => secret),
    });
  }
});

it('a destination that two make at once has the one secret that was shown', async () => {
  for (let round = 1; round <= ROUNDS; round++) {
    await api.call('DELETE', path);
    const made = await Promise.all([put(round), put(round)]);
    const shown = made.map(({ body }) => body.secret).filter((secret) => secret !== '(hidden)');
    expect(shown).toEqual([(await readDestination(api.store, 'crm'))?.config['secret']]);
  }
});

it('settings that somebody has changed since they were read are not overwritten, whatever was paused meanwhile', async () => {
  await put(0);
  const { revision } = (await api.get(path)).body;
  await api.call('POST', `${path}/pause`);
  const first = await api.call('PATCH', `${path}?revision=${revision}`, { timeoutMs: 9_000 });
  expect(first.status).toBe(200);
  for (const [method, body] of [
    ['PATCH', { timeoutMs: 8_000 }],
    ['PUT', { type: 'webhook', url: 'https://crm.example.com/other' }],
  ] as const) {
    const refused = await api.call(method, `${path}?revision=${revision}`, body);
    expect([refused.status, refused.body.error?.code]).toEqual([409, 'changed_meanwhile']);
  }
  expect((await api.get(path)).body).toMatchObject({ timeoutMs: 9_000, revision: first.body.revision });
  expect((await api.call('PATCH', `${path}?revision=${first.body.revision}`, { timeoutMs: 8_000 })).status).toBe(200);
  await api.call('DELETE', path);
  const gone = await api.call('PUT', `${path}?revision=${revision}`, {
    type: 'webhook',
    url: 'https://crm.example.com',
  });
  expect([gone.status, gone.body.error?.code]).toEqual([409, 'changed_meanwhile']);
});
