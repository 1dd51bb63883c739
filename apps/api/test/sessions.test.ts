import { describe, expect, it } from 'vitest';
import { API_KEY, logEvent, useApi } from './start-api.ts';

const api = useApi({ rateLimit: { max: 30, spanMs: 60_000 } });

const signIn = async (key: string, headers: Record<string, string> = {}) => {
  const { status, body, headers: answered } = await api.call('POST', '/v1/session', { key }, headers);
  const set = answered['set-cookie'] ?? '';
  return { status, body, set, cookie: { cookie: set.split(';')[0] ?? '' } };
};
const own = (csrf: string) => ({
  'sec-fetch-site': 'same-origin',
  'content-type': 'application/json',
  'x-csrf-token': csrf,
});
const makeKey = async (scopes: string[]) => (await api.call('POST', '/v1/keys', { name: 'web', scopes })).body;

describe('a session', () => {
  it('opens what its key opens, with a cookie that scripts cannot read', async () => {
    const { key, id } = await makeKey(['read', 'admin']);
    const { status, body, set, cookie } = await signIn(key);
    expect([status, body]).toEqual([
      201,
      { name: 'web', scopes: ['read', 'admin'], csrfToken: expect.stringMatching(/^[\w-]{43}$/) },
    ]);
    expect(set).toMatch(/^clickrelay=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect((await api.call('GET', '/v1/session', undefined, cookie)).body).toEqual(body);
    const stored = JSON.stringify(
      await Promise.all((await api.store.redis.keys('*session*')).map((one) => api.store.redis.get(one))),
    );
    expect(stored).not.toContain(cookie.cookie.slice('clickrelay='.length));
    expect(stored).not.toContain(key);

    const pull = { type: 'pull' };
    const put = (headers: Record<string, string>) =>
      api.call('PUT', '/v1/destinations/bot', pull, { ...cookie, ...headers });
    expect((await put(own(body.csrfToken))).status).toBe(200);
    expect((await api.call('GET', '/v1/audit?limit=1')).body.items[0].by).toBe(`web (${id}, session)`);

    await api.call('DELETE', `/v1/keys/${id}`);
    expect((await api.call('GET', '/v1/session', undefined, cookie)).status).toBe(401);
  });

  it.each([
    ['without the token', { 'x-csrf-token': '' }, 'csrf_token'],
    ['with another token', { 'x-csrf-token': 'x'.repeat(43) }, 'csrf_token'],
    ['as a form', { 'content-type': 'text/plain' }, 'csrf_token'],
    ['from another site', { 'sec-fetch-site': 'cross-site' }, 'foreign_origin'],
    ['from a sub-domain', { 'sec-fetch-site': 'same-site' }, 'foreign_origin'],
    ['from another origin', { 'sec-fetch-site': '', origin: 'https://evil.example.com' }, 'foreign_origin'],
    ['from nowhere', { 'sec-fetch-site': '' }, 'foreign_origin'],
  ])('changes nothing %s', async (_, headers, code) => {
    const { body, cookie } = await signIn(API_KEY);
    const before = (await api.call('GET', '/v1/destinations')).body;
    const sent = { ...cookie, ...own(body.csrfToken), ...headers };
    expect(await api.call('PUT', '/v1/destinations/evil', { type: 'pull' }, sent)).toMatchObject({
      status: 403,
      body: { error: { code } },
    });
    expect((await api.call('GET', '/v1/destinations')).body).toEqual(before);
  });

  it('of API_KEY gets personal data only when it asks', async () => {
    await logEvent(api.store, 'moText', { content: 'cAnArY' });
    const { cookie } = await signIn(API_KEY);
    const text = async (query: string) =>
      JSON.stringify((await api.call('GET', `/v1/events${query}`, undefined, cookie)).body);
    expect(await text('')).not.toContain('cAnArY');
    expect(await text('?reveal=true')).toContain('cAnArY');
    const [entry] = (await api.call('GET', '/v1/audit')).body.items;
    expect(entry).toMatchObject({ by: 'API_KEY (session)', action: 'personal_data.revealed' });
  });

  it('over https uses a cookie that no other host can set', async () => {
    const origin = `https://${new URL(api.url).host}`;
    expect((await signIn(API_KEY, { origin })).set).toMatch(
      /^__Host-clickrelay=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
  });

  it('ends when the user signs out, and when nobody uses it', async () => {
    const { body, cookie } = await signIn(API_KEY);
    const [name = ''] = await api.store.redis.keys('*session*');
    expect(await api.store.redis.pttl(name)).toBeLessThanOrEqual(12 * 3_600_000);
    const out = await api.call('DELETE', '/v1/session', undefined, { ...cookie, ...own(body.csrfToken) });
    expect([out.status, out.headers['set-cookie']]).toEqual([204, expect.stringContaining('Max-Age=0')]);
    expect((await api.call('GET', '/v1/session', undefined, cookie)).status).toBe(401);
  });

  it('is not opened with a wrong key, nor from another site, nor by endless tries', async () => {
    expect((await signIn('no-key')).status).toBe(401);
    expect((await signIn(API_KEY, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    const statuses: number[] = [];
    for (let n = 0; n < 25; n++) statuses.push((await signIn('no-key')).status);
    expect(statuses).toContain(429);
  });
});

describe('a key', () => {
  it('is limited to so many requests, and told when to ask again; API_KEY is not limited', async () => {
    const { key } = await makeKey(['read']);
    const as = { authorization: `Bearer ${key}` };
    const statuses: number[] = [];
    for (let n = 0; n < 31; n++) statuses.push((await api.call('GET', '/v1/whoami', undefined, as)).status);
    expect(statuses).toEqual([...Array<number>(30).fill(200), 429]);
    const refused = await api.call('GET', '/v1/whoami', undefined, as);
    expect(refused).toMatchObject({ status: 429, body: { error: { code: 'too_many_requests' } } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    for (let n = 0; n < 40; n++) expect((await api.call('GET', '/v1/whoami')).status).toBe(200);
  });
});
