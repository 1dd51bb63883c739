import { expect, it } from 'vitest';
import { parseIngestGroup } from './parse-ingest-group.ts';

const REFUSED = { name: 'InvalidJobError', code: 'invalid_job' };

const receivedAt = '2026-03-01T12:00:00.000Z';

it('an ingest group is read', () => {
  const group = {
    callbacks: [
      { receivedAt, text: '{}' },
      { receivedAt, text: '', large: { key: 'k' }, trace: 't' },
    ],
  };
  expect(parseIngestGroup(group)).toBe(group);
});

it.each([undefined, {}, { callbacks: {} }, { callbacks: [null] }, { callbacks: [{ text: '{}' }] }])(
  'an ingest group that no version of ours writes is refused: %j',
  (data) => {
    expect(() => parseIngestGroup(data)).toThrow(expect.objectContaining(REFUSED));
  },
);
