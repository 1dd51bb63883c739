import {
  listDestinations,
  openStore,
  pauseDestination,
  readDestination,
  resumeDestination,
  type Store,
} from '@clickrelay/queue';
import { type RedisServer, startRedis } from '@clickrelay/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDestinationSettings } from './create-destination-settings.ts';
import { InvalidDestinationsError } from './errors.ts';

const { apply, parseFile } = createDestinationSettings([]);

let redis: RedisServer;
let store: Store;
beforeAll(async () => {
  redis = await startRedis();
  store = await openStore({ redisUrl: redis.url, role: 'consumer' });
});
afterAll(async () => {
  await store.close();
  await redis.stop();
});
beforeEach(() => store.redis.flushall());

const CRM = `
destinations:
  - { id: crm, type: webhook, url: "https://crm.example.com/", events: ["mo*"] }
  - { id: bot, type: pull, filter: "event.data.text.contains('help')" }
`;

describe('applying a file', () => {
  it('adds what is missing, with a secret of its own, and leaves what is the same and what is not named', async () => {
    const [crm, bot] = await apply(store, parseFile(CRM, 'file'));
    expect([crm?.change, bot?.change]).toEqual(['added', 'added']);
    expect([crm?.madeSecret, bot?.madeSecret]).toEqual([true, false]);
    expect((await readDestination(store, 'crm'))?.config['secret']).toMatch(/^whsec_/);

    const again = await apply(store, parseFile(CRM, 'file').slice(0, 1));
    expect(again).toEqual([{ id: 'crm', change: 'unchanged', changes: {}, madeSecret: false, warnings: [] }]);
    expect((await listDestinations(store)).map(({ id }) => id)).toEqual(['bot', 'crm']);
  });

  it('names the fields that change, and keeps secret and pause', async () => {
    await apply(store, parseFile(CRM, 'file'));
    const before = await readDestination(store, 'crm');
    await pauseDestination(store, 'crm', 'moving');
    const changed = CRM.replace('["mo*"]', '["*"]').replace('crm.example.com/', 'crm.example.com/2');
    expect(await apply(store, parseFile(changed, 'file'))).toEqual([
      {
        id: 'crm',
        change: 'changed',
        changes: { events: { before: ['mo*'], after: ['*'] }, url: 'changed' },
        madeSecret: false,
        warnings: [],
      },
      { id: 'bot', change: 'unchanged', changes: {}, madeSecret: false, warnings: [] },
    ]);
    const crm = await readDestination(store, 'crm');
    expect(crm).toMatchObject({ paused: 'moving', config: { secret: before?.config['secret'] } });
  });

  it('keeps credentials that are left out, and changes nothing at all when one is missing', async () => {
    const text = (auth: string) => CRM.replace('events: ["mo*"]', `auth: { type: bearer${auth} }`);
    await apply(store, parseFile(text(', token: abc'), 'file'));
    expect(await apply(store, parseFile(text(''), 'file'))).toMatchObject([
      { id: 'crm', change: 'unchanged' },
      { id: 'bot', change: 'unchanged' },
    ]);
    const other = `${CRM}  - { id: new, type: webhook, url: "https://a.example/", auth: { type: bearer } }`;
    await expect(apply(store, parseFile(other, 'file'))).rejects.toThrow(
      new InvalidDestinationsError('new: auth.token is left out, and there is none to keep'),
    );
    expect((await readDestination(store, 'crm'))?.config['auth']).toEqual({ type: 'bearer', token: 'abc' });
  });

  it('undoes no pause that somebody makes at the same moment', async () => {
    await apply(store, parseFile(CRM, 'file'));
    for (let round = 1; round <= 30; round++) {
      await resumeDestination(store, 'crm');
      const changed = CRM.replace('crm.example.com/', `crm.example.com/${round}`);
      await Promise.all([apply(store, parseFile(changed, 'file')), pauseDestination(store, 'crm', 'moving')]);
      expect(await readDestination(store, 'crm')).toMatchObject({
        paused: 'moving',
        config: { url: `https://crm.example.com/${round}` },
      });
    }
  });

  it('changes nothing in a dry run', async () => {
    expect(await apply(store, parseFile(CRM, 'file'), { isDryRun: true })).toEqual([
      { id: 'crm', change: 'added', changes: {}, madeSecret: false, warnings: [] },
      { id: 'bot', change: 'added', changes: {}, madeSecret: false, warnings: [] },
    ]);
    expect(await listDestinations(store)).toEqual([]);
  });
});

describe('a file', () => {
  it.each([
    ['destinations: [', 'file is not YAML'],
    ['{}', 'expected array'],
    [`${CRM}  - { id: crm, type: pull }`, 'file names crm twice'],
    [CRM.replace("contains('help')", 'contains('), 'Unexpected token: EOF, at column 26'],
    [CRM.replace('"mo*"', ''), 'events'],
  ])('%j is refused, with the place', (text, message) => {
    expect(() => parseFile(text, 'file')).toThrow(InvalidDestinationsError);
    expect(() => parseFile(text, 'file')).toThrow(message);
  });
});
