import { parseJobData } from '../jobs/parse-job-data.ts';
import type { CommittedCallback, IngestGroup } from './ingest-group.ts';

/** @throws {InvalidJobError} */
export const parseIngestGroup = (data: unknown): IngestGroup =>
  parseJobData(
    'ingest',
    data,
    (fields): fields is IngestGroup => Array.isArray(fields.callbacks) && fields.callbacks.every(isCommitted),
  );

const isCommitted = (callback: unknown): callback is CommittedCallback => {
  if (typeof callback !== 'object' || callback === null) return false;
  const { receivedAt, text, large, trace } = callback as Partial<Record<keyof CommittedCallback, unknown>>;
  return (
    typeof receivedAt === 'string' &&
    typeof text === 'string' &&
    (large === undefined || (typeof large === 'object' && large !== null)) &&
    (trace === undefined || typeof trace === 'string')
  );
};
