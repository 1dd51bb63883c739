import type { Row } from '../run.ts';
import { brokenConnection } from './broken-connection.ts';
import { redisAway } from './redis-away.ts';
import { stoppedAndKilled } from './stopped-and-killed.ts';
import { unusualCallbacks } from './unusual-callbacks.ts';
import { workerDies } from './worker-dies.ts';

/** Every row of the table, in its order. */
export const rows: readonly Row[] = [
  ...redisAway,
  ...brokenConnection,
  ...workerDies,
  ...stoppedAndKilled,
  ...unusualCallbacks,
];
