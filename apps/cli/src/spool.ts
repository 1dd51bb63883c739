import { resolve } from 'node:path';
import type { ReceiverPart } from '@clickrelay/queue';
import type { Config } from './config.ts';
import { readRunFile } from './data-dir.ts';
import { httpStatus } from './http-status.ts';
import { ageOf } from './time.ts';

/** What `/readyz` of a receiver answers; undefined when another program answered. */
export const readReadiness = (body: string): ReceiverPart['readiness'] | undefined => {
  try {
    const answer = JSON.parse(body) as Partial<ReceiverPart['readiness']>;
    return typeof answer.ready === 'boolean' && Array.isArray(answer.problems)
      ? (answer as ReceiverPart['readiness'])
      : undefined;
  } catch {
    return undefined;
  }
};

export type Spool = NonNullable<ReceiverPart['readiness']['spool']>;

export const describeSpool = ({ records, bytes, oldestAt, setAside, refusing }: Spool, nowMs = Date.now()): string => {
  const waiting =
    records === 0 || oldestAt === null
      ? 'empty'
      : `${records} callbacks wait for Redis (${(bytes / 1_048_576).toFixed(1)} MiB), ` +
        `the oldest for ${ageOf(nowMs - Date.parse(oldestAt))}`;
  const aside = setAside === 0 ? '' : `; ${setAside} set aside`;
  return `${waiting}${aside}${refusing === null ? '' : `; ${refusing}`}`;
};

/** Asks the receiver on this machine, because the API knows only what is in Redis. */
export const spoolOfReceiverHere = async (config: Config): Promise<Spool | undefined> => {
  const url = readRunFile(resolve(config.DATA_DIR))?.receiverUrl;
  const answer = url === undefined ? undefined : await httpStatus(`${url}/readyz`);
  return answer && readReadiness(answer.body)?.spool;
};
