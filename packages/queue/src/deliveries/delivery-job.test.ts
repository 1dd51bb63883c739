import { expect, it } from 'vitest';
import { parseDeliveryJob } from './delivery-job.ts';

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
