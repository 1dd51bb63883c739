import { expect, test } from 'vitest';
import { rotateSecrets } from './rotate.ts';
import { checkSecret, generateSecret, readSecret } from './secret.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const HOUR = 3_600_000;
const [one, two, other] = [generateSecret(), generateSecret(), generateSecret('whsk_')];

test('the old secret signs for as long as was chosen, the new one from now on', () => {
  const { secrets, made, oldUntil } = rotateSecrets(one, { keepOldForMs: HOUR, nowMs: NOW });
  expect(oldUntil).toBe('2026-03-01T13:00:00.000Z');
  expect(secrets).toEqual([made[0], { secret: one, until: oldUntil }]);
  expect(made[0]).not.toBe(one);
  expect(checkSecret(made[0] as string)).toBeUndefined();
});

test('an old secret that leaked ends at once', () => {
  expect(rotateSecrets(one, { keepOldForMs: 0, nowMs: NOW })).toMatchObject({
    secrets: [expect.any(String)],
    oldUntil: null,
  });
});

test('what was to end earlier still does, what was to end later does not outlive the rest, what has ended is gone', () => {
  const { secrets } = rotateSecrets(
    [
      one,
      { secret: two, until: '2026-03-01T12:30:00.000Z' },
      { secret: two, until: '2026-03-05T12:00:00.000Z' },
      { secret: two, until: '2026-03-01T12:00:00.000Z' },
    ],
    { keepOldForMs: HOUR, nowMs: NOW },
  );
  expect(secrets.slice(1)).toEqual([
    { secret: one, until: '2026-03-01T13:00:00.000Z' },
    { secret: two, until: '2026-03-01T13:00:00.000Z' },
    { secret: two, until: '2026-03-01T12:30:00.000Z' },
  ]);
});

test('of each sort of key a new one is made, and an Ed25519 key stays one', () => {
  const { made } = rotateSecrets([one, two, other], { keepOldForMs: HOUR, nowMs: NOW });
  expect(made.map((secret) => readSecret(secret).version)).toEqual(['v1', 'v1a']);
});

test('never are there more than a destination may have', () => {
  const many = [
    one,
    ...Array.from({ length: 7 }, (_, n) => ({ secret: two, until: new Date(NOW + n + 1).toISOString() })),
  ];
  expect(rotateSecrets(many, { keepOldForMs: HOUR, nowMs: NOW }).secrets).toHaveLength(8);
});
