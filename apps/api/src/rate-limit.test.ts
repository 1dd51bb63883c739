import { expect, it } from 'vitest';
import { createRateLimit } from './rate-limit.ts';

it('allows so many requests in a span, says when to ask again, and counts each caller separately', () => {
  let nowMs = 0;
  const limit = createRateLimit({ max: 10, spanMs: 1_000 }, () => nowMs);
  const taken = (who: string): boolean => {
    try {
      limit.take(who);
      return true;
    } catch {
      return false;
    }
  };
  const count = (who: string) => Array.from({ length: 50 }, () => taken(who)).filter(Boolean).length;
  expect(count('a')).toBe(10);
  expect(count('b')).toBe(10);
  expect(() => limit.take('a')).toThrow(
    expect.objectContaining({ status: 429, code: 'too_many_requests', retryAfterMs: 100 }),
  );
  nowMs = 250;
  expect(count('a')).toBe(2);
  nowMs = 100_000;
  expect(count('a')).toBe(10);
});
