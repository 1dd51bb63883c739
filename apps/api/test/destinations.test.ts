import { readDestination } from '@clickrelay/queue';
import { describe, expect, it } from 'vitest';
import { logEvent, useApi } from './start-api.ts';

const api = useApi();
const { get } = api;

describe('destinations', () => {
  const url = 'https://crm.example.com/clickatell';

  it('show their secret to a caller that may reveal it', async () => {
    const made = await api.call('PUT', '/v1/destinations/signed', { type: 'webhook', url });
    const { secret } = made.body;
    expect(await get('/v1/destinations/signed/secret')).toMatchObject({
      status: 200,
      body: { id: 'signed', secrets: [{ secret, until: null }] },
    });

    const former = { secret, until: '2999-01-01T00:00:00Z' };
    const both = [`whsec_${'a'.repeat(32)}`, former];
    const changed = await api.call('PUT', '/v1/destinations/signed', { type: 'webhook', url, secret: both });
    expect(changed.body.secret).toBe('(hidden)');
    expect((await get('/v1/destinations/signed/secret')).body.secrets).toEqual([
      { secret: both[0], until: null },
      former,
    ]);

    const reader = await api.call('POST', '/v1/keys', { name: 'reader', scopes: ['read', 'admin', 'replay'] });
    const headers = { authorization: `Bearer ${reader.body.key}` };
    expect(await api.call('GET', '/v1/destinations/signed/secret', undefined, headers)).toMatchObject({
      status: 403,
      body: { error: { code: 'forbidden_scope' } },
    });
    expect(JSON.stringify((await api.call('GET', '/v1/destinations', undefined, headers)).body)).not.toContain(
      'whsec_',
    );

    await api.call('PUT', '/v1/destinations/fetched', { type: 'pull' });
    for (const id of ['fetched', 'nowhere']) {
      expect(await get(`/v1/destinations/${id}/secret`)).toMatchObject({
        status: 404,
        body: { error: { code: 'not_found' } },
      });
    }
    for (const id of ['signed', 'fetched']) await api.call('DELETE', `/v1/destinations/${id}`);
  });

  it('get a secret that is shown once, and keep it when they are changed', async () => {
    const made = await api.call('PUT', '/v1/destinations/hook', { type: 'webhook', url });
    expect(made.status).toBe(200);
    expect(made.body).toEqual({
      id: 'hook',
      type: 'webhook',
      events: ['*'],
      paused: null,
      held: null,
      url,
      secret: expect.stringMatching(/^whsec_/),
      format: 'event',
      timeoutMs: 15_000,
      concurrency: 32,
      warnings: [],
      revision: expect.any(String),
    });
    const { warnings, ...shown } = made.body;
    const hidden = { ...shown, secret: '(hidden)' };
    expect((await get('/v1/destinations/hook')).body).toEqual(hidden);
    expect((await get('/v1/destinations')).body.items).toContainEqual(hidden);

    const changed = await api.call('PUT', '/v1/destinations/hook', { type: 'webhook', url, events: ['mo*'] });
    expect(changed.body).toEqual({ ...hidden, events: ['mo*'], warnings, revision: expect.any(String) });
    expect(changed.body.revision).not.toBe(made.body.revision);
    expect((await readDestination(api.store, 'hook'))?.config['secret']).toBe(made.body.secret);
  });

  it('hide our credentials for them, and keep a credential that is sent back hidden', async () => {
    const oauth2 = { type: 'oauth2', tokenUrl: 'https://id.example.com/', clientId: 'us', clientSecret: 'canary-1' };
    const declared = { type: 'webhook', url, auth: oauth2, headers: { 'X-Key': 'canary-2' } };
    const made = await api.call('PUT', '/v1/destinations/known', declared);
    const shown = { auth: { ...oauth2, clientSecret: '(hidden)' }, headers: { 'x-key': '(hidden)' } };
    expect(made).toMatchObject({ status: 200, body: shown });
    const again = await api.call('PUT', '/v1/destinations/known', { type: 'webhook', url, ...shown });
    expect(again).toMatchObject({ status: 200, body: { ...shown, secret: '(hidden)' } });
    expect((await readDestination(api.store, 'known'))?.config).toMatchObject({
      auth: oauth2,
      headers: { 'x-key': 'canary-2' },
    });
    const moved = { type: 'webhook', url: 'https://evil.example/', ...shown };
    expect(await api.call('PUT', '/v1/destinations/known', moved)).toMatchObject({
      status: 400,
      body: {
        error: {
          code: 'invalid_destinations',
          message: 'known: headers.x-key is left out, and was for another host: give it again',
        },
      },
    });
    const answers = [made.body, again.body, (await get('/v1/destinations')).body, api.logged];
    expect(JSON.stringify(answers)).not.toContain('canary');
  });

  it('with a given secret never show it', async () => {
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const answers = [
      await api.call('PUT', '/v1/destinations/own', { type: 'webhook', url, secret: [secret, secret] }),
      await get('/v1/destinations/own'),
      await get('/v1/destinations'),
      await api.call('POST', '/v1/destinations/own/pause'),
      await api.call('PUT', '/v1/destinations/own', { type: 'webhook', url: 'ftp://nowhere', secret }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 400]);
    expect(JSON.stringify([answers, api.logged])).not.toContain(secret);
  });

  it.each([
    ['an address that is none', { type: 'webhook', url: 'crm' }],
    ['an address with a password', { type: 'webhook', url: 'https://ann:canary@example.com' }],
    ['a secret that is none', { type: 'webhook', url, secret: 'canary' }],
    ['another type', { type: 'carrier-pigeon' }],
    ['no type', { url }],
    ['a setting that does not exist', { type: 'pull', colour: 'canary' }],
    ['no event types', { type: 'pull', events: [] }],
  ])('with %s are refused, without repeating what was sent', async (_, body) => {
    const answer = await api.call('PUT', '/v1/destinations/refused', body);
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } });
    expect(answer.body.error.issues.length).toBeGreaterThan(0);
    expect(JSON.stringify(answer.body)).not.toContain('canary');
    expect((await get('/v1/destinations/refused')).status).toBe(404);
  });

  it('with what will probably not work are saved, and the answer says so', async () => {
    const doubtful = {
      type: 'webhook',
      url: 'http://10.0.0.1/',
      events: ['moNewThing'],
      filter: 'event.data.txt == 1',
    };
    const put = await api.call('PUT', '/v1/destinations/doubtful', doubtful);
    expect(put).toMatchObject({
      status: 200,
      body: {
        warnings: [
          expect.stringMatching(/^no known event type matches moNewThing/),
          expect.stringMatching(/did you mean event\.data\.text\?$/),
          expect.stringMatching(/^10\.0\.0\.1 is a private or reserved address/),
        ],
      },
    });
    const applied = await api.call('POST', '/v1/destinations/apply', {
      destinations: [{ id: 'doubtful', ...doubtful }],
    });
    expect(applied.body.items[0].warnings).toEqual(put.body.warnings);
    await api.call('DELETE', '/v1/destinations/doubtful');
  });

  it('with an invalid filter are refused, with the column', async () => {
    const { status, body } = await api.call('PUT', '/v1/destinations/picky', { type: 'pull', filter: 'event.type ==' });
    expect(status).toBe(400);
    expect(body.error.issues).toEqual([{ path: 'filter', message: 'Unexpected token: EOF, at column 14' }]);
    expect((await get('/v1/destinations/picky')).status).toBe(404);
  });

  it('say why they want an event, or do not want it', async () => {
    const logged = await logEvent(api.store);
    await api.call('PUT', '/v1/destinations/picky', {
      type: 'pull',
      events: ['mo*'],
      filter: "event.from == 'nobody'",
    });
    const match = await get(`/v1/destinations/picky/match?event=${logged.event.id}`);
    expect(match.body).toEqual({
      wanted: false,
      rules: [
        { rule: 'events', passed: true, detail: `wants mo*; this is ${logged.event.type}` },
        { rule: 'filter', passed: false, detail: 'false' },
      ],
      delivery: null,
    });
    expect((await get(`/v1/destinations/nowhere/match?event=${logged.event.id}`)).status).toBe(404);
    expect((await get(`/v1/destinations/picky/match?event=evt_${'A'.repeat(22)}`)).status).toBe(404);
    expect((await get('/v1/destinations/picky/match')).status).toBe(400);
    await api.call('DELETE', '/v1/destinations/picky');
  });

  it('are made to match a list, or only compared with it', async () => {
    const destinations = [{ id: 'declared', type: 'webhook', url, events: ['mo*'] }];
    const dry = await api.call('POST', '/v1/destinations/apply', { destinations, dryRun: true });
    expect(dry.body).toEqual({
      items: [{ id: 'declared', change: 'added', fields: [], madeSecret: false, warnings: [] }],
    });
    expect((await get('/v1/destinations/declared')).status).toBe(404);
    const applied = await api.call('POST', '/v1/destinations/apply', { destinations });
    expect(applied.body.items[0]).toMatchObject({ change: 'added', madeSecret: true, warnings: [] });
    const again = await api.call('POST', '/v1/destinations/apply', {
      destinations: [{ ...destinations[0], rate: '5/s' }],
    });
    expect(again.body).toEqual({
      items: [{ id: 'declared', change: 'changed', fields: ['rate'], madeSecret: false, warnings: [] }],
    });
    await api.call('DELETE', '/v1/destinations/declared');
  });

  it('need ids of a fixed form', async () => {
    expect((await api.call('PUT', '/v1/destinations/No_Such', { type: 'pull' })).status).toBe(400);
  });

  it('are paused with a reason, resumed, and removed', async () => {
    await api.call('PUT', '/v1/destinations/bot', { type: 'pull', events: ['moText'] });
    const pull = { id: 'bot', type: 'pull', events: ['moText'], held: null, revision: expect.any(String) };
    expect((await api.call('POST', '/v1/destinations/bot/pause', { reason: 'on holiday' })).body).toEqual({
      ...pull,
      paused: 'on holiday',
    });
    // A change does not resume the destination.
    expect((await api.call('PUT', '/v1/destinations/bot', { type: 'pull', events: ['moText'] })).body.paused).toBe(
      'on holiday',
    );
    expect((await api.call('POST', '/v1/destinations/bot/resume')).body).toEqual({ ...pull, paused: null });
    expect((await api.call('DELETE', '/v1/destinations/bot')).status).toBe(204);
    expect((await get('/v1/destinations/bot')).status).toBe(404);
    for (const path of ['/pause', '/resume']) {
      expect((await api.call('POST', `/v1/destinations/bot${path}`)).status).toBe(404);
    }
    expect((await api.call('DELETE', '/v1/destinations/bot')).status).toBe(404);
  });
});
