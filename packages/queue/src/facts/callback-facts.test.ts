import { MINUTE_MS } from '@clickrelay/core';
import { expect, it } from 'vitest';
import { useStore } from '../../test/use-store.ts';
import { createRefusalCounter } from '../counts/refusals.ts';
import { readCallbackFacts } from './callback-facts.ts';

const { store } = useStore();

it('what receivers refused is known by reason and age', async () => {
  const refusals = createRefusalCounter();
  refusals.count({ status: 503, code: 'queue_unavailable' });
  refusals.count({ status: 413, code: 'callback_too_large' });
  for (const code of ['wrong_credential', 'wrong_credential', 'missing_credential'])
    refusals.count({ status: 401, code });
  await refusals.write(store);
  const now = Date.now();
  const present = await readCallbackFacts(store, now);
  expect(present).toMatchObject({
    refusedLast5m: { unavailable: 1, tooLarge: 1, unprocessable: 0, rateLimited: 0 },
    refusedLast15m: { unavailable: 1 },
    wrongCredentials: 2,
    withoutCredential: 1,
    lastAcceptedAt: null,
  });
  expect(Math.abs((present.firstWrongAt ?? 0) - now)).toBeLessThan(MINUTE_MS);
  expect(await readCallbackFacts(store, now + 8 * MINUTE_MS)).toMatchObject({
    refusedLast5m: { unavailable: 0, tooLarge: 0 },
    refusedLast15m: { unavailable: 1 },
  });
  expect(await readCallbackFacts(store, now + 62 * MINUTE_MS)).toMatchObject({
    refusedLast15m: { unavailable: 0 },
    wrongCredentials: 0,
    firstWrongAt: null,
    withoutCredential: 0,
  });
});
