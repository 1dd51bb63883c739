import { expect, it } from 'vitest';
import { parseDeliveryJob } from '../deliveries/parse-delivery-job.ts';
import { parseIngestGroup } from './parse-ingest-group.ts';

const REFUSED = { name: 'InvalidJobError', code: 'invalid_job' };

it.each([{}, { a: 1, x: 'answered 500', k: 'not_built' }, { r: 1 }, { r: 'rpl_1', t: '00-1-2-01' }])(
  'a delivery job is read: %j',
  (data) => {
    expect(parseDeliveryJob(data)).toBe(data);
  },
);

it.each([undefined, null, 'text', { a: '1' }, { x: 1 }, { k: 'unheard of' }, { r: 2 }, { t: {} }])(
  'a delivery job that no version of ours writes is refused: %j',
  (data) => {
    expect(() => parseDeliveryJob(data)).toThrow(expect.objectContaining(REFUSED));
  },
);

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
