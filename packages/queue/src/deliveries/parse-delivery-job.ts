import { DEAD_LETTER_KINDS } from '../jobs/outcome.ts';
import { parseJobData } from '../jobs/parse-job-data.ts';
import type { DeliveryJob } from './deliveries.ts';

/** @throws {InvalidJobError} */
export const parseDeliveryJob = (data: unknown): DeliveryJob =>
  parseJobData('delivery', data, (fields): fields is DeliveryJob => {
    const { a, x, k, r, t } = fields;
    return (
      isAbsentOr('number', a) &&
      isAbsentOr('string', x) &&
      (k === undefined || DEAD_LETTER_KINDS.some((kind) => kind === k)) &&
      (r === 1 || isAbsentOr('string', r)) &&
      isAbsentOr('string', t)
    );
  });

const isAbsentOr = (type: 'number' | 'string', value: unknown): boolean => value === undefined || typeof value === type;
