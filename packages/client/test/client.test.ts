import { freePort } from '@clickrelay/service/machine';
import { startDestination } from '@clickrelay/testkit';
import { afterEach, beforeEach, expect, expectTypeOf, test } from 'vitest';
import { ApiError, ApiUnreachableError, createClient, type Event, type ListedEvent } from '../src/index.ts';

let api: Awaited<ReturnType<typeof startDestination>>;
let answer: { status: number; headers?: Record<string, string>; body?: string };
beforeEach(async () => {
  api = await startDestination({ answer: () => answer });
});
afterEach(() => api.close());
const client = () => createClient({ url: `http://127.0.0.1:${api.port}/`, key: 'k3y' });
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

test('what is asked for is sent as the API wants it', async () => {
  answer = { status: 200, body: '{"id":"a/b"}' };
  const query = { event: 'evt_1', reveal: undefined };
  await client().call('GET /v1/destinations/{id}/match', { path: { id: 'a/b' }, query });
  await client().call('POST /v1/destinations/{id}/pause', { path: { id: 'crm' }, body: { reason: 'x' } });
  await client().call('GET /v1/status');
  expect(api.requests.map(({ method, path, body }) => [method, path, body])).toEqual([
    ['GET', '/v1/destinations/a%2Fb/match?event=evt_1', ''],
    ['POST', '/v1/destinations/crm/pause', '{"reason":"x"}'],
    ['GET', '/v1/status', ''],
  ]);
  expect(api.requests[1]?.headers).toMatchObject({ authorization: 'Bearer k3y', 'content-type': 'application/json' });
});

test('a list is read to its end', async () => {
  const pages = ['{"items":[{"id":"evt_1"},{"id":"evt_2"}],"next":"c2"}', '{"items":[{"id":"evt_3"}],"next":null}'];
  await api.close();
  api = await startDestination({ answer: () => ({ status: 200, body: pages.shift() ?? '' }) });
  const ids: string[] = [];
  for await (const event of client().items('GET /v1/events', { query: { limit: 2 } })) {
    expectTypeOf(event).toEqualTypeOf<ListedEvent>();
    expectTypeOf(event).toExtend<Event>();
    ids.push(event.id);
  }
  expect(ids).toEqual(['evt_1', 'evt_2', 'evt_3']);
  expect(api.requests.map(({ path }) => path)).toEqual(['/v1/events?limit=2', '/v1/events?limit=2&cursor=c2']);
});

test('an operation without an answer answers nothing', async () => {
  answer = { status: 204 };
  expect(await client().call('DELETE /v1/keys/{id}', { path: { id: 'key_1' } })).toBeUndefined();
});

test('a refusal says what to do', async () => {
  const error = { code: 'invalid_request', message: 'does not fit', issues: [{ path: 'limit', message: 'too many' }] };
  answer = { status: 429, headers: { 'retry-after': '3' }, body: JSON.stringify({ error }) };
  const refused = await failure(client().call('GET /v1/events'));
  expect(refused).toBeInstanceOf(ApiError);
  expect(refused).toMatchObject({ ...error, status: 429, retryAfterMs: 3_000 });
  answer = { status: 502, body: '<html>' };
  expect(await failure(client().call('GET /v1/events'))).toMatchObject({ status: 502, code: 'api_error', issues: [] });
});

test('no answer, and one that is none of ours, is not a refusal', async () => {
  answer = { status: 200, body: '<html>' };
  expect(await failure(client().call('GET /v1/events'))).toBeInstanceOf(ApiUnreachableError);
  const nobody = createClient({ url: `http://127.0.0.1:${await freePort()}` });
  expect(await failure(nobody.call('GET /v1/events'))).toMatchObject({
    code: 'api_unreachable',
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

test('a request ends when its caller wants no more', async () => {
  const stop = AbortSignal.abort();
  expect(await failure(client().call('GET /v1/events', { signal: stop }))).toMatchObject({ name: 'AbortError' });
});

test('what does not fit an operation does not compile', () => {
  const check = () => {
    // @ts-expect-error there is none of this name
    client().call('GET /v1/nothing');
    // @ts-expect-error the id is missing
    client().call('GET /v1/events/{id}');
    // @ts-expect-error it takes no such thing
    client().call('GET /v1/events', { query: { colour: 'red' } });
    // @ts-expect-error it answers no list
    client().items('GET /v1/status');
  };
  expect(check).toBeTypeOf('function');
});
