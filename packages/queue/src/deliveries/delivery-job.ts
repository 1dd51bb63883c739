import { DEAD_LETTER_KINDS, type DeadLetterKind } from '../jobs/outcome.ts';
import { parseJobData } from '../jobs/parse-job-data.ts';

/** What a delivery job carries beyond its id. Most carry nothing: each byte counts for every waiting delivery. */
export interface DeliveryJob {
  /** Attempts that were made before the job. */
  readonly a?: number;
  /** The last of those ended the delivery, for this reason. */
  readonly x?: string;
  /** The kind of dead letter, unless it is `refused`. */
  readonly k?: DeadLetterKind;
  /** A person asked for it, so it is sent although it was delivered before: the replay of many, `rpl_…`, or 1. */
  readonly r?: 1 | string;
  /** W3C `traceparent` that its attempts are part of. */
  readonly t?: string;
}

/** The replay of many that a delivery is part of. */
export const replayOf = ({ r }: DeliveryJob): string | undefined => (typeof r === 'string' ? r : undefined);

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
