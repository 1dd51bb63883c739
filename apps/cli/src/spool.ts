import { resolve } from 'node:path';
import type { Config } from './config.ts';
import { readRunFile } from './data-dir.ts';
import { httpStatus } from './http-status.ts';

/** What `/readyz` of a receiver says about its spool. */
export interface Spool {
  records: number;
  bytes: number;
  oldestAt: string | null;
  setAside: number;
  refusing: string | null;
  /** `spool` while Redis takes no callbacks. */
  durability: string;
}

/** @returns undefined when the receiver has no spool, or another program answered */
export const readSpool = (body: string): Spool | undefined => {
  try {
    const { spool, durability } = JSON.parse(body) as { spool?: Omit<Spool, 'durability'>; durability: string };
    return spool && { ...spool, durability };
  } catch {
    return undefined;
  }
};

export const describeSpool = ({ records, bytes, oldestAt, setAside, refusing }: Spool, nowMs = Date.now()): string => {
  const waiting =
    records === 0 || oldestAt === null
      ? 'empty'
      : `${records} callbacks wait for Redis (${(bytes / 1_048_576).toFixed(1)} MiB), ` +
        `the oldest for ${ageOf(nowMs - Date.parse(oldestAt))}`;
  const aside = setAside === 0 ? '' : `; ${setAside} set aside`;
  return `${waiting}${aside}${refusing === null ? '' : `; ${refusing}`}`;
};

const ageOf = (ms: number): string => {
  const seconds = Math.max(Math.round(ms / 1_000), 0);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
};

/** Asks the receiver on this machine, because the API knows only what is in Redis. */
export const spoolOfReceiverHere = async (config: Config): Promise<Spool | undefined> => {
  const url = readRunFile(resolve(config.DATA_DIR))?.receiverUrl;
  const answer = url === undefined ? undefined : await httpStatus(`${url}/readyz`);
  return answer && readSpool(answer.body);
};
