import { but, GIB, HOUR, MINUTE, NOW, parts, receiver, SECOND, worker } from '../healthy.ts';
import { type Cases, WHY } from './case.ts';

const unknown = but({ parts: WHY });
const noSpool = (() => {
  const one = receiver();
  return one.role === 'receiver' ? { ...one, readiness: { ...one.readiness, spool: undefined } } : one;
})() as ReturnType<typeof receiver>;
const redisAway = {
  setting: 'connection',
  value: 'not usable: the Redis at 127.0.0.1:6379 does not answer',
  mend: 'start Redis',
};
const everysec = { setting: 'appendfsync', value: 'everysec', mend: 'redis-cli config set appendfsync always' };
const full = { setting: 'spool', value: 'it is full: 27820000004 of 27820000004 bytes', mend: 'make room on its disk' };

const at = (ageMs: number) => new Date(NOW - ageMs).toISOString();
const old = (ageMs: number, durability = 'always', records = 5120) =>
  parts(receiver({}, { durability, spool: { records, bytes: GIB, oldestAt: at(ageMs) } }), worker());
const filled = (percent: number) => parts(receiver({}, { spool: { records: 9, bytes: (percent / 10) * GIB } }));
const filling = (gib: number, gibPerMinute: number | null) =>
  parts(receiver({}, { spool: { records: 9, bytes: gib * GIB, bytesPerMinute: gibPerMinute && gibPerMinute * GIB } }));
const refusing = (gib: number) =>
  parts(
    receiver({}, { spool: { records: 9, bytes: gib * GIB, refusing: 'the disk under /home/27820000004 refuses it' } }),
  );

export const receiverCases: Cases = {
  receiver_not_ready: {
    'a setting of Redis': parts(receiver({}, { ready: false, problems: [everysec] })),
    'Redis is away, and the spool is full': parts(receiver({}, { ready: false, problems: [redisAway, full] })),
    'no reason': parts(receiver({}, { ready: false })),
    'one of two on a machine, and one on another': parts(
      receiver(),
      receiver({}, { ready: false }),
      receiver({ hostName: 'host-2' }, { ready: false }),
    ),
    unknown,
  },
  spooling: {
    '1 minute': old(MINUTE),
    '61 s': old(61 * SECOND),
    '119 s': old(119 * SECOND),
    '2 minutes': old(2 * MINUTE),
    '2 minutes, and Redis takes none': old(2 * MINUTE, 'spool'),
    '30 minutes, 1 callback': old(30 * MINUTE, 'always', 1),
    '31 minutes': old(31 * MINUTE),
    '1 hour': old(HOUR),
    'no spool': parts(noSpool),
    unknown,
  },
  spool_filling: {
    '40 %': filled(40),
    '41 %': filled(41),
    '49 %': filled(49),
    '50 %': filled(50),
    '70 %': filled(70),
    '71 %': filled(71),
    '80 %': filled(80),
    '20 %, full in an hour': filling(2, 8 / 60),
    '20 %, full in 61 minutes': filling(2, 8 / 61),
    '20 %, full in 119 minutes': filling(2, 8 / 119),
    '20 %, full in 2 hours': filling(2, 8 / 120),
    '60 %, full in 90 minutes': filling(6, 4 / 90),
    '20 %, and drained': filling(2, -1),
    '20 %, and nobody knows the rate': filling(2, null),
    'no spool': parts(noSpool),
    unknown,
  },
  spool_refusing: {
    full: refusing(10),
    'its disk is broken': refusing(1),
    'no spool': parts(noSpool),
    unknown,
  },
  spool_set_aside: {
    '1 file': parts(receiver({}, { spool: { setAside: 1 } })),
    '2 files': parts(receiver({}, { spool: { setAside: 2 } })),
    unknown,
  },
};
