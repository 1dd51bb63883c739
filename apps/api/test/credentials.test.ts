import { hash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCredentialRecords } from '@clickrelay/queue';
import { readKeptCredentials, usableCredentials } from '@clickrelay/service/settings';
import { waitUntil } from '@clickrelay/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { publishReceiver } from './sample-receiver.ts';
import { type Api, startApi } from './start-api.ts';

let api: Api;
let dataDir: string;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'clickrelay-api-'));
  api = await startApi({ callbackAuth: 'query:declared', publicUrl: 'https://hooks.example.com', dataDir });
});
afterEach(async () => {
  await api.stop();
  rmSync(dataDir, { recursive: true });
});

/** A receiver that accepts these. */
const receiver = (...credentialIds: string[]): Promise<void> =>
  publishReceiver(api.store, { credentials: credentialIds.map(() => 'query'), credentialIds });

/** Records the one in `CALLBACK_AUTH`, as a receiver does. */
const declare = async (): Promise<string> => {
  const records = openCredentialRecords(api.store);
  const mark = { kind: 'query', name: null, sha256: hash('sha256', 'declared') } as const;
  const record = records.draft(mark, 'declared', Date.parse('2026-03-01T12:00:00.000Z'));
  await records.keep([record]);
  return record.id;
};

it('one that is made is shown with the URLs for the portal, and kept as a hash alone in Redis', async () => {
  const declared = await declare();
  await receiver(declared);
  const making = api.call('POST', '/v1/credentials');
  const records = openCredentialRecords(api.store);
  const other = await waitUntil(async () => (await records.list()).find(({ origin }) => origin === 'made'));
  await receiver(declared, other.id);
  const { status, body } = await making;
  expect(status).toBe(201);
  const { id, secret } = body;
  expect(body).toEqual({
    id: expect.stringMatching(/^crd_[0-9a-f]{12}$/),
    kind: 'query',
    name: null,
    origin: 'made',
    createdAt: expect.any(String),
    endsAt: null,
    ended: false,
    lastUsedAt: null,
    acceptedBy: ['a:1'],
    user: null,
    secret: expect.stringMatching(/^[\w-]{32}$/),
    callbackUrls: {
      public: {
        replies: `https://hooks.example.com/in/one-api-reply?token=${secret}`,
        statuses: `https://hooks.example.com/in/one-api-status?token=${secret}`,
      },
      local: {
        replies: `http://localhost:8080/in/one-api-reply?token=${secret}`,
        statuses: `http://localhost:8080/in/one-api-status?token=${secret}`,
      },
    },
    notYet: [],
  });
  const redis = await api.store.redis.hgetall('cr:{registry}:credentials');
  expect(JSON.stringify(redis)).toContain(hash('sha256', secret));
  const list = (await api.get('/v1/credentials')).body.items;
  expect(list.map((one: { id: string; acceptedBy: string[] }) => [one.id, one.acceptedBy])).toEqual([
    [id, ['a:1']],
    [declared, ['a:1']],
  ]);
  const audit = (await api.get('/v1/audit')).body;
  expect(audit.items[0]).toMatchObject({ action: 'credential.made', target: id, detail: { kind: 'query' } });
  for (const told of [redis, list, audit, api.logged]) expect(JSON.stringify(told)).not.toContain(secret);

  // For those who show it again, or send with it.
  expect(statSync(join(dataDir, 'credentials.json')).mode & 0o777).toBe(0o600);
  const setup = (await api.get('/v1/setup?reveal=true')).body;
  expect(setup.credentials.map((one: { secret: string }) => one.secret)).toEqual([secret, 'declared']);
  expect(setup.callbackUrls.public.replies).toContain(secret);
  expect(usableCredentials('query:declared', readKeptCredentials(dataDir))[0]).toEqual({ kind: 'query', secret });
});

it('neither the last one is ended, nor unawares one that is in use; an end can be taken back', async () => {
  const declared = await declare();
  await receiver(declared);
  const revoke = (id: string, body?: unknown) => api.call('POST', `/v1/credentials/${id}/revoke`, body);
  expect(await revoke(declared)).toMatchObject({ status: 409, body: { error: { code: 'last_credential' } } });
  const { body: made } = await api.call('POST', '/v1/credentials', { kind: 'header', name: 'X-Secret' });
  expect([made.kind, made.name, made.notYet, made.callbackUrls.public.replies]).toEqual([
    'header',
    'x-secret',
    // The receiver of this test does not learn of it.
    ['a:1'],
    'https://hooks.example.com/in/one-api-reply',
  ]);
  const usedAt = new Date(Date.now() - 60_000).toISOString();
  await openCredentialRecords(api.store).noteUses({ [declared]: usedAt });
  const refused = await revoke(declared);
  expect(refused).toMatchObject({ status: 409, body: { error: { code: 'credential_in_use' } } });
  expect(refused.body.error.message).toContain(usedAt);
  // Nobody uses it then, for all that is known.
  expect(await revoke(declared, { after: '2h' })).toMatchObject({ status: 200, body: { ended: false, notYet: [] } });
  expect(await api.call('POST', `/v1/credentials/${declared}/restore`)).toMatchObject({ body: { endsAt: null } });

  await receiver(made.id);
  expect(await revoke(declared, { evenIfUsed: true })).toMatchObject({
    status: 200,
    body: { ended: true, notYet: [] },
  });
  const setup = async () => (await api.get('/v1/setup?reveal=true')).body.credentials;
  expect(await setup()).toEqual([{ kind: 'header', name: 'X-Secret', secret: made.secret }]);
  expect(JSON.parse(readFileSync(join(dataDir, 'credentials.json'), 'utf8')).ends).toEqual({
    [hash('sha256', 'declared')]: expect.any(String),
  });
  const { items } = (await api.get('/v1/audit?limit=4')).body;
  expect(items.map(({ action }: { action: string }) => action)).toEqual([
    'setup.credential_shown',
    'credential.revoked',
    'credential.restored',
    'credential.revoked',
  ]);
  expect(items[1].detail).toEqual({ endsAt: expect.any(String), lastUsedAt: usedAt });
  expect((await revoke('crd_none')).status).toBe(404);
  await api.call('POST', `/v1/credentials/${declared}/restore`);
  expect(await setup()).toHaveLength(2);
});

it('the others end after a while when that is asked for, those that end earlier then', async () => {
  const declared = await declare();
  await receiver(declared);
  const { body: first } = await api.call('POST', '/v1/credentials', { endOthersAfter: '1d' });
  const { body: second } = await api.call('POST', '/v1/credentials', { endOthersAfter: '7d' });
  const ends = Object.fromEntries(
    (await api.get('/v1/credentials')).body.items.map((one: { id: string; endsAt: string }) => [one.id, one.endsAt]),
  );
  const hours = (id: string): number | null =>
    ends[id] === null ? null : Math.round((Date.parse(ends[id]) - Date.now()) / 3_600_000);
  expect([hours(declared), hours(first.id), hours(second.id)]).toEqual([24, 168, null]);
});
