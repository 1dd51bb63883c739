import { startDestination } from '@clickrelay/testkit';
import { afterAll, expect, it } from 'vitest';
import { openHeartbeat } from '../src/heartbeat.ts';
import { START, verdict } from './verdicts.ts';

const { url, requests, answerWith, close } = await startDestination();
afterAll(close);

it('is a GET once a minute while something is judged, and is told when it is refused', async () => {
  const failed: string[] = [];
  const { signal } = new AbortController();
  const beat = openHeartbeat({
    url: `${url}ping/canary`,
    userAgent: 'Clickrelay/1.2.3',
    egressAllow: ['127.0.0.1/32'],
    signal,
    onFailed: (code) => failed.push(code),
  });
  for (let seconds = 0; seconds <= 120; seconds += 5) await beat(verdict(START + seconds * 1_000));
  expect(requests.map(({ method, path, body }) => [method, path, body])).toEqual(
    Array.from({ length: 3 }, () => ['GET', '/ping/canary', '']),
  );
  answerWith(404);
  await beat(verdict(START + 180_000));
  answerWith('reset');
  await beat(verdict(START + 240_000));
  expect(failed).toEqual(['404', 'destination_unreachable']);
});
