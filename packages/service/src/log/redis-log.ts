import type { Logger } from 'pino';
import { countRepeats } from './count-repeats.ts';
import { errorFields } from './describe-error.ts';

/** Says why Redis cannot be used; undefined when the error is about something else. See `explainRedisError` of the queue. */
export type ExplainRedis = (error: unknown) => { readonly cause: string; readonly mend: string } | undefined;

/** The fields of a log line for an error that may be one of Redis. */
const fieldsOf = (error: unknown, explain: ExplainRedis): Readonly<Record<string, unknown>> => {
  const trouble = explain(error);
  return trouble === undefined ? errorFields(error) : { reason: trouble.cause, mend: trouble.mend };
};

/** Logs errors that come again and again while their cause lasts: one line, then a count. */
export const createErrorLog = (write: (fields: object) => void, explain: ExplainRedis): ((error: unknown) => void) => {
  const log = countRepeats(write);
  return (error) => log(fieldsOf(error, explain));
};

export interface RedisLog {
  /** Called for every failed attempt to connect; logs the first, and the first of another reason. */
  readonly onError: (error: Error) => void;
  readonly onReady: () => void;
  isAway(): boolean;
}

/**
 * Logs `redis.away` when the connection is lost, and again when there is another reason; `redis.back` when it is
 * restored, with the number of errors in between.
 */
export const createRedisLog = (log: Pick<Logger, 'info' | 'warn'>, explain: ExplainRedis): RedisLog => {
  let told: string | undefined;
  let errors = 0;
  return {
    onError: (error) => {
      errors++;
      const fields = fieldsOf(error, explain);
      const reason = String(fields['reason'] ?? fields['errorCode'] ?? fields['errorName']);
      if (reason !== told) log.warn(fields, 'redis.away');
      told = reason;
    },
    onReady: () => {
      if (told !== undefined) log.info({ errors }, 'redis.back');
      told = undefined;
      errors = 0;
    },
    isAway: () => told !== undefined,
  };
};
