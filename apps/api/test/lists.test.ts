import { describe, expect, it } from 'vitest';
import { useApi } from './start-api.ts';

const api = useApi();
const { get } = api;

describe('lists', () => {
  /** Reads every item, a page at a time. */
  const walk = async (path: string): Promise<{ pages: number; items: { id: string }[] }> => {
    const items: { id: string }[] = [];
    let pages = 0;
    for (let cursor: string | null = ''; cursor !== null; pages++) {
      const { status, body } = await get(`${path}?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      expect([status, body.items.length <= 2]).toEqual([200, true]);
      items.push(...body.items);
      cursor = body.next;
    }
    return { pages, items };
  };

  it('of destinations, keys and replays come in pages, without gaps or repeats', async () => {
    const listed = async (path: string) => (await get(path)).body.items;
    for (let made = 0; made < 5; made++) {
      await api.call('PUT', `/v1/destinations/d${made}`, { type: 'pull' });
      await api.call('POST', '/v1/keys', { name: 'x', scopes: ['read'] });
      await api.call('POST', '/v1/replays', { rate: '1/h' });
    }
    for (const path of ['/v1/destinations', '/v1/keys', '/v1/replays']) {
      const { pages, items } = await walk(path);
      expect([path, pages, items]).toEqual([path, 3, await listed(path)]);
      expect(new Set(items.map(({ id }) => id)).size).toBe(5);
    }
    const [first, second] = await listed('/v1/destinations?limit=2');
    expect([first.id, second.id]).toEqual(['d0', 'd1']);
    await api.call('DELETE', '/v1/destinations/d1');
    expect((await listed('/v1/destinations?limit=1&cursor=d1'))[0].id).toBe('d2');
  });
});
