import { freePort } from '@clickrelay/service/machine';
import {
  type Destination,
  PERSON_KEY,
  type RedisServer,
  startDestination,
  startProgram,
  startRedis,
} from '@clickrelay/testkit';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { API_KEY } from './start-api.ts';

// The API as a program: what it finds wrong reaches people, and so does the end of it.

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

let redis: RedisServer;
let people: Destination;
beforeAll(async () => {
  redis = await startRedis();
  people = await startDestination();
});
afterAll(async () => {
  await people.close();
  await redis.stop();
});

it('an API whose Redis goes away tells those who wait for it, and that it is back', async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = { API_PORT: String(port), REDIS_URL: redis.url, PERSON_KEY, API_KEY, EGRESS_ALLOW: '127.0.0.0/8' };
  const program = await startProgram({
    args: [new URL('../src/main.ts', import.meta.url).pathname],
    env,
    readyUrl: `${url}/healthz`,
  });
  const headers = { authorization: `Bearer ${API_KEY}` };
  const call = async (method: string, path: string, body?: object) =>
    fetch(`${url}/v1/alerts${path}`, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  const channel = {
    type: 'webhook',
    url: people.url,
    secret: SECRET,
    codes: ['redis_away'],
    groupWait: '0s',
    groupInterval: '0s',
  };
  await expect.poll(async () => (await call('PUT', '/channels/ops', channel)).status).toBe(200);
  await redis.kill();
  await people.waitFor(1, 60_000);
  await redis.restart();
  await people.waitFor(2, 60_000);
  expect(people.requests.map(told)).toEqual([
    [
      'clickrelay.redis.away',
      'raised',
      'critical',
      { kind: 'redis', id: null },
      expect.stringMatching(/^the Redis at 127\.0\.0\.1:\d+ /),
    ],
    [
      'clickrelay.redis.away.resolved',
      'resolved',
      'critical',
      { kind: 'redis', id: null },
      expect.stringMatching(/^over after 1 minute: the Redis at /),
    ],
  ]);
  // What was sent while Redis was away is in the record once it is back.
  const logged = async (): Promise<unknown> => {
    const { items } = (await (await call('GET', '')).json()) as { items: { what: string; status: number }[] };
    return items.map(({ what, status }) => [what, status]);
  };
  await expect.poll(logged).toEqual([
    ['resolved', 200],
    ['raised', 200],
  ]);
  expect(people.requests).toHaveLength(2);
  await program.stop();
});

const told = ({ body, headers }: Destination['requests'][0]): unknown[] => {
  const verified = new Webhook(SECRET).verify(body, headers as Record<string, string>);
  const { type, data } = verified as { type: string; data: Record<string, unknown> };
  return [type, data['what'], data['severity'], data['subject'], data['sentence']];
};
