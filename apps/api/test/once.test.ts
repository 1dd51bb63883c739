import { createMessageIndex } from '@clickrelay/queue';
import { describe, expect, it } from 'vitest';
import { logEvent, useApi } from './start-api.ts';

const api = useApi();

let made = 0;
const newKey = (): string => `message-${++made}`;
const claim = async (keys: string[], more: object = {}, headers?: Record<string, string>) =>
  (await api.call('POST', '/v1/once', { keys, ...more }, headers)).body.claims;
const settle = async (...outcomes: object[]) => (await api.call('POST', '/v1/once/settle', { outcomes })).body.outcomes;
const keyOf = async (name: string, scopes = ['lease']) => {
  const { body } = await api.call('POST', '/v1/keys', {
    name,
    scopes,
    ...(scopes.includes('lease') && { destinations: ['n8n-*'] }),
  });
  return { authorization: `Bearer ${body.key}` };
};

describe('work that must be done once', () => {
  it('is claimed, settled, and told to whoever comes later', async () => {
    const [one, two] = [newKey(), newKey()];
    const [first, second] = await claim([one, two]);
    expect([first, second]).toEqual([
      { key: one, state: 'yours', token: expect.any(String) },
      { key: two, state: 'yours', token: expect.any(String) },
    ]);
    expect(await claim([one])).toEqual([{ key: one, state: 'busy', retryAfterMs: expect.any(Number) }]);
    expect(
      await settle(
        { key: one, token: first.token, outcome: 'done', result: 'api-1' },
        { key: two, token: 'of another', outcome: 'done' },
      ),
    ).toEqual([
      { key: one, settled: true },
      { key: two, settled: false },
    ]);
    expect(await claim([two, one])).toMatchObject([{ state: 'busy' }, { state: 'done', result: 'api-1' }]);
  });

  it('of which nobody knows the end is done when a status of the message came, and else taken over on request', async () => {
    const [sent, lost] = [newKey(), newKey()];
    for (const { key, token } of await claim([sent, lost])) await settle({ key, token, outcome: 'unknown' });
    const status = { clientMessageId: sent, messageId: 'api-7' };
    const { event } = await logEvent(api.store, 'messageStatusUpdate', status);
    // A customer's message may bear any id.
    const { event: other } = await logEvent(api.store, 'moText', { clientMessageId: lost });
    await createMessageIndex(api.store).add([event, other]);
    expect(await claim([sent, lost])).toEqual([
      { key: sent, state: 'done', result: 'api-7' },
      { key: lost, state: 'unknown' },
    ]);
    expect(await claim([sent, lost], { takeOver: true })).toMatchObject([{ state: 'done' }, { state: 'yours' }]);
  });

  it('belongs to the name of a key that may lease; no other finds it', async () => {
    const key = newKey();
    const ours = await keyOf('n8n');
    expect(await claim([key], {}, ours)).toMatchObject([{ state: 'yours' }]);
    expect(await claim([key], {}, await keyOf('n8n'))).toMatchObject([{ state: 'busy' }]);
    expect(await claim([key], {}, await keyOf('another'))).toMatchObject([{ state: 'yours' }]);
    const refused = await api.call('POST', '/v1/once', { keys: [key] }, await keyOf('reader', ['read']));
    expect(refused).toMatchObject({ status: 403, body: { error: { code: 'forbidden_scope' } } });
  });

  it('is at most 100 pieces in a request', async () => {
    const many = (count: number) => Array.from({ length: count }, newKey);
    expect(await claim(many(100))).toHaveLength(100);
    expect(await api.call('POST', '/v1/once', { keys: many(101) })).toMatchObject({ status: 400 });
    expect(await api.call('POST', '/v1/once', { keys: [] })).toMatchObject({ status: 400 });
  });
});
