import type { Row } from '../run.ts';
import { badDestinations } from './bad-destinations.ts';
import { badValues } from './bad-values.ts';
import { brokenConnection } from './broken-connection.ts';
import { clock } from './clock.ts';
import { consumersCrash } from './consumers-crash.ts';
import { damagedSpools } from './damaged-spool.ts';
import { failover } from './failover.ts';
import { lostStore } from './lost-store.ts';
import { movingSlots } from './moving-slots.ts';
import { powerCuts } from './power-cut.ts';
import { randomRows } from './random-sequences.ts';
import { redisAway } from './redis-away.ts';
import { replayRates } from './replay-rate.ts';
import { rotation } from './rotation.ts';
import { stoppedAndKilled } from './stopped-and-killed.ts';
import { supervisors } from './supervisor.ts';
import { twoAtOnce } from './two-at-once.ts';
import { unsafeRedis } from './unsafe-redis.ts';
import { unusualCallbacks } from './unusual-callbacks.ts';
import { workerDies } from './worker-dies.ts';

/** Every row of the table, in its order. */
export const rows: readonly Row[] = [
  ...redisAway,
  ...lostStore,
  ...powerCuts,
  ...unsafeRedis,
  ...failover,
  ...movingSlots,
  ...brokenConnection,
  ...workerDies,
  ...stoppedAndKilled,
  ...consumersCrash,
  ...clock,
  ...unusualCallbacks,
  ...badDestinations,
  ...rotation,
  ...twoAtOnce,
  ...badValues,
  ...damagedSpools,
  ...replayRates,
  ...supervisors,
  ...randomRows,
];
