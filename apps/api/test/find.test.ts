import { describe, expect, it } from 'vitest';
import { logEvent, useApi } from './start-api.ts';

const api = useApi();
const find = async (what: string) => (await api.call('POST', '/v1/find', { text: what })).body;

describe('a person', () => {
  it.each([
    ['ZA.1234567890abcdef', 'ZA.1234567890abcdef', 'user_id'],
    ['12345', '12345', 'short_code'],
    ['0027820000003', '0027820000003', 'phone_number'],
    ['0027820000013', '+27 82 000 0013', 'phone_number'],
    ['+27 82 000 0004', '+27 82 000 0004', 'phone_number'],
    ['+27 82 000 0014', '0027 82 0000014', 'phone_number'],
    ['My Shop', 'My Shop', 'sender_name'],
  ])('that sent as %j is found by %j', async (from, asked, recognised) => {
    const { event } = await logEvent(api.store, 'moText', { from });
    const found = await find(asked);
    expect(found).toMatchObject({ recognised, hits: [{ kind: 'event', id: event.id }], complete: true });
    const listed = await api.call('GET', `/v1/events?party=${found.party}`);
    expect(listed.body.items.map(({ id }: { id: string }) => id)).toContain(event.id);
  });

  it('is no other whose id has the same digits', async () => {
    expect((await find('1234567890')).hits).toEqual([]);
    expect((await find('ZA.1234567890abcdex')).hits).toEqual([]);
  });
});
