import { expect, it } from 'vitest';
import { useLeases } from '../../test/use-leases.ts';
import { readDestinationFacts } from '../facts/destination-facts.ts';

const { addDestination, openLeases, store, take } = useLeases();

it('when a consumer last asked is known, also when there was nothing for it', async () => {
  const id = await addDestination();
  const lastAskedAt = async () => (await readDestinationFacts(store, Date.now()))[0]?.lastAskedAt;
  expect(await lastAskedAt()).toBeNull();
  const before = store.clock.now();
  const leases = await openLeases();
  expect(await take(id, { waitMs: 0 }, leases)).toEqual([]);
  await leases.close();
  expect(await lastAskedAt()).toBeGreaterThanOrEqual(before - 1_000);
});
