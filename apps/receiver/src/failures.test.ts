import { expect, it } from 'vitest';
import { parseCidrs } from './client-address.ts';
import { createBuckets, createFailureCounter } from './failures.ts';

const address = (text: string) => parseCidrs('TEST', text)[0]?.[0];

it('counts for a minute from the first failure, then starts again', () => {
  let now = 1_234_567;
  const count = createFailureCounter(() => now);
  expect(count(7)).toEqual({ count: 1, forgottenInMs: 60_000 });
  now += 30_000;
  expect(count(7)).toEqual({ count: 2, forgottenInMs: 29_433 }); // whole seconds are kept
  expect(count(8).count).toBe(1);
  now += 29_433;
  expect(count(7).count).toBe(1);
});

it('stops counting at the end of 16 bits', () => {
  const count = createFailureCounter(() => 0);
  for (let n = 0; n < 70_000; n++) count(1);
  expect(count(1).count).toBe(65_535);
});

it('takes the same memory for one address as for many', () => {
  const count = createFailureCounter();
  const bucketOf = createBuckets();
  for (let n = 0; n < 1000; n++) count(bucketOf(address(`10.0.${n >> 8}.${n & 255}`)));
  const before = process.memoryUsage();
  for (let n = 0; n < 65_536; n++) count(n);
  const after = process.memoryUsage();
  expect(after.external + after.arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(1024 * 1024);
});

it('counts the addresses of an IPv6 customer as one, and different customers separately', () => {
  const bucketOf = createBuckets();
  expect(bucketOf(address('2001:db8:1:2::1'))).toBe(bucketOf(address('2001:db8:1:2:ffff::9')));
  const buckets = new Set(Array.from({ length: 100 }, (_, n) => bucketOf(address(`2001:db8:1:${n.toString(16)}::1`))));
  expect(buckets.size).toBeGreaterThan(95);
  for (const bucket of buckets) expect(bucket).toBeLessThan(65_536);
});
