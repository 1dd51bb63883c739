import { putDestination } from '@clickrelay/queue';
import { type Api, startApi } from '../api.ts';
import { newCallback } from '../ledger.ts';
import { startRig } from '../rig.ts';
import type { Row, Run } from '../run.ts';

// A small key asks for values beyond every bound, and worse ones are in Redis already.

const LISTS = [
  '/v1/events?include=deliveries',
  '/v1/destinations',
  '/v1/destinations/bot',
  '/v1/destinations/bot/peek',
  '/v1/dead-letters',
  '/v1/overview',
  '/v1/status',
  '/v1/ledger',
];

const BAD = [
  { retrySchedule: '0s,999999999d' },
  { retrySchedule: `0s${',1s'.repeat(5_000)}` },
  { retrySchedule: '1e9d' },
  { retrySchedule: '-1s' },
  { retrySchedule: '' },
  { filter: 'x'.repeat(100_000) },
  { filter: '('.repeat(1_000) },
  { events: Array<string>(100_000).fill('*') },
  { events: ['x'.repeat(100_000)] },
] as const;

const BAD_LEASES = [
  { leaseMs: Number.MAX_SAFE_INTEGER },
  { leaseMs: -1 },
  { leaseMs: 1e300 },
  { max: 1e9 },
  { waitMs: 1e12 },
  { max: 0.5 },
];

const checkLists = async (run: Run, api: Api, after: string): Promise<void> => {
  for (const path of LISTS) {
    const { status } = await api.call('GET', path);
    run.check(status === 200, `GET ${path} was answered ${status} after ${after}`);
  }
};

const askForTooMuch: Row = {
  id: 'G31',
  fault: 'durations, counts and sizes beyond every bound, asked for by a small key, and stored',
  run: async (run) => {
    const rig = await startRig(run, { destinations: [] });
    const api = await startApi(run, rig);
    const path = '/v1/destinations/bot';
    await putDestination(rig.store, { id: 'bot', type: 'pull', events: ['*'], paused: null, config: {} });
    const made = await api.call('POST', '/v1/keys', { name: 'small', scopes: ['lease'], destinations: ['bot'] });
    const key = String(made.body?.key);
    run.check(made.status === 201, `a key was answered ${made.status} (${made.body?.error?.message})`);

    for (const bad of BAD) {
      const { status } = await api.call('PUT', path, { type: 'pull', events: ['*'], ...bad }, key);
      run.check(status >= 400 && status < 500, `${JSON.stringify(bad).slice(0, 60)} was answered ${status}`);
    }
    for (const bad of BAD_LEASES) {
      const { status } = await api.call('POST', `${path}/lease`, bad, key);
      run.check(status >= 400 && status < 500, `a lease with ${JSON.stringify(bad)} was answered ${status}`);
    }
    await checkLists(run, api, 'what was refused');

    for (const retrySchedule of ['0s,999999999d', '0s,1e400d', 'soon', 7, null, { a: 1 }]) {
      await putDestination(rig.store, {
        id: 'bot',
        type: 'pull',
        events: ['*'],
        paused: null,
        config: { retrySchedule },
      });
      await rig.clickatell.postUntilAccepted(newCallback(run.random));
      const leased = await api.call('POST', `${path}/lease`, { waitMs: 20_000 }, key);
      const [lease] = leased.body?.deliveries ?? [];
      run.check(lease !== undefined, `no lease with a stored retrySchedule ${JSON.stringify(retrySchedule)}`);
      if (lease === undefined) continue;
      const { deliveryId, leaseToken } = lease;
      const { status } = await api.call('POST', `${path}/nack`, { deliveryId, leaseToken }, key);
      run.check(status === 200, `a nack was answered ${status}, retrySchedule ${JSON.stringify(retrySchedule)} stored`);
      await checkLists(run, api, `a stored retrySchedule ${JSON.stringify(retrySchedule)}`);
    }
  },
};

export const badValues: readonly Row[] = [askForTooMuch];
