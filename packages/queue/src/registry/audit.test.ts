import { expect, it } from 'vitest';
import { useStore } from '../../test/use-store.ts';
import { listAudit, recordAudit } from './audit.ts';

const { store } = useStore({ role: 'producer', freshPerTest: 'nothing' });

it('tells who did what, newest first, page by page', async () => {
  const before = Date.now();
  await recordAudit(store, { by: 'API_KEY', action: 'destination.removed', target: 'crm' });
  await recordAudit(store, { by: 'bob (key_1)', action: 'replay.started', target: 'rpl_1', detail: { selected: 3 } });
  await recordAudit(store, { by: 'API_KEY', action: 'key.made', target: 'key_2' });
  const first = await listAudit(store, { limit: 2 });
  expect(first.items).toEqual([
    {
      id: expect.stringMatching(/^aud_\d+-\d+$/),
      at: expect.any(String),
      by: 'API_KEY',
      action: 'key.made',
      target: 'key_2',
    },
    { ...first.items[1], by: 'bob (key_1)', action: 'replay.started', target: 'rpl_1', detail: { selected: 3 } },
  ]);
  expect(Date.parse(first.items[1]?.at ?? '')).toBeGreaterThanOrEqual(before - 1);
  expect(first.next).toBe(first.items[1]?.id);
  const second = await listAudit(store, { limit: 2, cursor: first.next ?? '' });
  expect(second).toEqual({ items: [expect.objectContaining({ target: 'crm' })], next: null });
});

it('takes a cursor that is none for the beginning', async () => {
  expect((await listAudit(store, { limit: 10, cursor: '+ evil' })).items).toHaveLength(3);
});
