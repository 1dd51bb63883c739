import { quarantineCallback } from '@clickrelay/queue';
import { waitUntil } from '@clickrelay/testkit';
import { expect, it } from 'vitest';
import { API_KEY, useApi } from './start-api.ts';

let aheadMs = 0;
const api = useApi({ now: () => Date.now() + aheadMs });

const look = async () => {
  await api.health.look();
  return (await api.get('/v1/health')).body;
};
const keyWith = async (...scopes: string[]) => {
  const { body } = await api.call('POST', '/v1/keys', { name: 'ops', scopes });
  return { authorization: `Bearer ${body.key}` };
};
const quarantine = { code: 'quarantine', subject: { kind: 'relay', id: null } };

it('a condition has one sentence, a mend and an age, wherever it is shown', async () => {
  await quarantineCallback(api.store, { body: Buffer.from('{'), reason: 'x', receivedAt: '2026-03-01T00:00:00.000Z' });
  const { state, conditions } = await look();
  expect(state).not.toBe('ok');
  const [found] = conditions.filter(({ code }: { code: string }) => code === 'quarantine');
  expect(found).toMatchObject({
    severity: 'warning',
    state: 'raised',
    subject: { kind: 'relay', id: null },
    count: 1,
    sentence: expect.any(String),
    mend: { command: expect.stringMatching(/^clickrelay /), link: expect.stringMatching(/^docs\//) },
    acknowledged: null,
  });
  const { healthy, needs } = (await api.get('/v1/overview')).body;
  expect(healthy).toBe(false);
  expect(needs).toContainEqual(found);
  const metrics = await fetch(`${api.url}/metrics`, { headers: { authorization: `Bearer ${API_KEY}` } });
  const text = await metrics.text();
  expect(text).toContain('clickrelay_condition{code="quarantine",severity="warning",subject=""} 1\n');
  expect(text).toMatch(/^clickrelay_condition_since_seconds\{code="quarantine",.*\} [\d.]+$/m);
});

it('what is acknowledged stays listed and needs nobody, until its time is over', async () => {
  const found = await api.call('POST', '/v1/health/acknowledge', { ...quarantine, for: '2h' });
  expect([found.status, found.body.acknowledged]).toEqual([
    200,
    { by: 'API_KEY', until: expect.any(String), note: null },
  ]);
  const codes = (list: { code: string }[]) => list.map(({ code }) => code);
  expect(codes((await look()).conditions)).toContain('quarantine');
  expect(codes((await api.get('/v1/overview')).body.needs)).not.toContain('quarantine');
  const withNote = await api.call('POST', '/v1/health/acknowledge', { ...quarantine, note: 'the vendor is told' });
  expect(withNote.body.acknowledged).toEqual({ by: 'API_KEY', until: null, note: 'the vendor is told' });
  const back = await api.call('POST', '/v1/health/withdraw', quarantine);
  expect([back.status, back.body.acknowledged]).toEqual([200, null]);
  expect(codes((await api.get('/v1/overview')).body.needs)).toContain('quarantine');
  expect((await api.get('/v1/audit')).body.items[0]).toMatchObject({
    action: 'health.withdrawn',
    target: 'quarantine',
  });
  await api.call('POST', '/v1/health/acknowledge', { ...quarantine, for: '2h' });
  const [latest] = (await api.get('/v1/audit')).body.items;
  expect(latest).toMatchObject({ action: 'health.acknowledged', target: 'quarantine', by: 'API_KEY' });
  aheadMs = 3 * 3_600_000;
  await look();
  expect(codes((await api.get('/v1/overview')).body.needs)).toContain('quarantine');
  aheadMs = 0;
});

it('only what is there can be acknowledged, by a key with the scope admin, and for 30 days at most', async () => {
  const acknowledge = async (body: object, headers?: Record<string, string>) => {
    const answer = await api.call('POST', '/v1/health/acknowledge', body, headers);
    return [answer.status, answer.body.error?.code];
  };
  const none = { code: 'data_lost', subject: { kind: 'redis', id: null } };
  expect(await acknowledge(none)).toEqual([404, 'condition_not_present']);
  expect(await acknowledge({ ...quarantine, for: '31d' })).toEqual([400, 'invalid_request']);
  expect(await acknowledge(quarantine, await keyWith('read'))).toEqual([403, 'forbidden_scope']);
});

it('while Redis is away it is still told, with API_KEY, and everything else that Redis knows is unknown', async () => {
  await api.redis.kill('SIGSTOP');
  try {
    await api.health.look();
    aheadMs = 20_000;
    const { state, conditions } = await look();
    expect(state).toBe('critical');
    expect(conditions[0]).toMatchObject({ code: 'redis_away', state: 'raised', severity: 'critical' });
    const unknown = conditions.filter((one: { state: string }) => one.state === 'unknown');
    expect(unknown.length).toBeGreaterThan(20);
    expect(new Set(unknown.map((one: { inhibitedBy: string }) => one.inhibitedBy))).toEqual(new Set(['redis_away']));
  } finally {
    await api.redis.kill('SIGCONT');
  }
  aheadMs = 0;
  await waitUntil(async () => (await api.get('/v1/status')).status === 200);
});
