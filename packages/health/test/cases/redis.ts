import { but, GIB, receiver, server, store, worker } from '../healthy.ts';
import { type Cases, WHY } from './case.ts';

const CAUSE = 'the Redis at 127.0.0.1:6379 refuses the connection (ECONNREFUSED)';
const NOPERM = 'the Redis at 127.0.0.1:6379 does not let this user do all that is needed (NOPERM: wait)';
const away = but({ redis: { state: 'away', cause: CAUSE, mend: 'start Redis, or set REDIS_URL to where it is' } });
const refuses = but({ redis: { state: 'refuses', code: 'NOPERM', cause: NOPERM, mend: 'give it the permissions' } });
const memory = (percent: number) => server({ usedBytes: (percent / 100) * GIB });
const ofMachine = (percent: number) =>
  server({ usedBytes: (percent / 100) * 8 * GIB, limitBytes: 8 * GIB, limit: 'machine' });
const p99 = (commitP99Ms: number | null, delayedFsyncs = 0) => ({
  ...server({ delayedFsyncs }),
  parts: [receiver({ commitP99Ms }), worker()],
});
const problem = (setting: string, value: string, mend: string) => ({ setting, value, mend });
const everysec = problem('appendfsync', 'everysec', 'redis-cli config set appendfsync always');
const noAof = problem('appendonly', 'no', 'redis-cli config set appendonly yes');

export const redisCases: Cases = {
  redis_away: { away, refuses },
  redis_refuses: { away, refuses },
  data_lost: {
    'the id is gone': store({ foundId: null }),
    'another id': store({ foundId: 'str_2' }),
    'no id was ever seen, and there is none': store({ expectedId: null, foundId: null }),
    'no id was ever seen, and there is one': store({ expectedId: null, foundId: 'str_2' }),
    'nobody can tell which it should be': store({ expectedId: WHY }),
    unknown: but({ store: WHY }),
  },
  layout_mismatch: {
    'another layout': store({ otherLayout: '{"version":2}' }),
    unknown: but({ store: WHY }),
  },
  not_durable: {
    'appendfsync everysec': server({}, { problems: [everysec] }),
    'two settings': server({}, { problems: [noAof, everysec] }),
    'a setting, and a failed rewrite': server({ lastRewrite: 'err' }, { problems: [everysec] }),
    'a failed rewrite': server({ lastRewrite: 'err' }),
    'a failed write': server(
      {},
      { problems: [problem('aof_last_write_status', 'err', 'make room on the disk of Redis')] },
    ),
    'a rewrite of which nobody tells': server({ lastRewrite: null }),
    'memory is full, which redis_memory tells': server(
      {},
      { problems: [problem('used_memory', '91 % of maxmemory', '')] },
    ),
    'no replica, which replicas_missing tells': server({}, { problems: [problem('connected_slaves', '0', '')] }),
    unknown: but({ server: WHY }),
  },
  redis_memory: {
    '75 %': memory(75),
    '75.1 %': memory(75.1),
    '79.9 %': memory(79.9),
    '80 %': memory(80),
    '88 %': memory(88),
    '88.1 %': memory(88.1),
    '90 %': memory(90),
    '80 % of the machine': ofMachine(80),
    '84.9 % of the machine': ofMachine(84.9),
    '85 % of the machine': ofMachine(85),
    'no limit is told': server({ limitBytes: null }),
    unknown: but({ server: WHY }),
  },
  redis_slow: {
    '250 ms': p99(250),
    '251 ms': p99(251),
    '499 ms': p99(499),
    '500 ms': p99(500),
    '1.5 s': p99(1_500),
    '1 write waited': p99(20, 1),
    '3 writes waited': p99(20, 3),
    both: p99(300, 3),
    'no commits': p99(null),
    'no receiver': but({ parts: [worker()] }),
    'Redis tells nothing, and receivers are fast': but({ server: WHY }),
    'Redis tells nothing, and receivers are slow': { ...p99(600), server: WHY },
    'parts unknown': but({ parts: WHY }),
  },
  replicas_missing: {
    '2 replicas': server({ replicas: 2 }, { mode: 'replicated' }),
    '1 replica': server({ replicas: 1 }, { mode: 'replicated' }),
    'no replica': server({ replicas: 0 }, { mode: 'replicated' }),
    'no replica, and none wanted': server({ replicas: 0 }, { mode: 'always' }),
    unknown: but({ server: WHY }),
  },
};
