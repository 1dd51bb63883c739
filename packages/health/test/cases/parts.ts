import type { DiskFacts } from '@clickrelay/queue';
import { api, but, GIB, parts, receiver, worker } from '../healthy.ts';
import { type Cases, WHY } from './case.ts';

const unknown = but({ parts: WHY });
const off = (clockOffsetMs: number, clockJumpMs = 0) =>
  parts(receiver({ clockOffsetMs, clockJumpMs }), worker(), api());
const busy = (eventLoop: number) => parts(receiver(), worker({ eventLoop }), api());
const died = (count: number) => but({ deaths: [{ role: 'worker', hostName: 'host-1', count }] });
const disk = (freePercent: number, changes: Partial<DiskFacts> = {}) =>
  parts(
    receiver({
      disks: [{ of: 'spool', freeBytes: freePercent * GIB, totalBytes: 100 * GIB, neededBytes: 0, ...changes }],
    }),
    worker(),
  );
const needs = (freeGib: number, of: 'spool' | 'data' = 'spool') =>
  disk(50, { of, freeBytes: freeGib * GIB, neededBytes: 10 * GIB, totalBytes: 20 * GIB });
const egress = (hash: string, hostName: string) => worker({ hostName, settings: { EGRESS_ALLOW: hash } });

export const partCases: Cases = {
  no_receiver: { none: parts(worker(), api()), two: parts(receiver(), receiver()), unknown },
  no_worker: { none: parts(receiver(), api()), unknown },
  clock_wrong: {
    '1 s ahead': off(1_000),
    '1.1 s ahead': off(1_100),
    '1.9 s behind': off(-1_900),
    '2 s behind': off(-2_000),
    '20 s ahead': off(20_000),
    '20.1 s ahead': off(20_100),
    '30 s ahead': off(30_000),
    'put back by 1.9 s': off(0, -1_900),
    'put back by an hour, with Redis on the same machine': off(0, -3_600_000),
    'jumped, and a little off': off(1_500, 2_000),
    'jumped, and far off': off(60_000, 60_000),
    'two processes of one machine': parts(receiver({ clockOffsetMs: 2_500 }), worker({ clockOffsetMs: 40_000 })),
    unknown,
  },
  process_busy: {
    '80 %': busy(0.8),
    '81 %': busy(0.81),
    '94 %': busy(0.94),
    '95 %': busy(0.95),
    'two workers of a machine, and the API': parts(worker({ eventLoop: 0.5 }), worker({ eventLoop: 1 }), {
      ...api(),
      eventLoop: 0.99,
    }),
    unknown,
  },
  restarts: {
    once: died(1),
    twice: died(2),
    '3 times': died(3),
    '5 times': died(5),
    '6 times': died(6),
    '10 times': died(10),
    unknown: but({ deaths: WHY }),
  },
  parts_differ: {
    'an old worker': parts(receiver(), worker({ version: '1.2.2' }), api()),
    'the newest is alone': parts(receiver({ version: '1.2.2' }), worker({ version: '1.2.2' }), {
      ...api(),
      hostName: 'host-2',
      version: '1.3.0',
      startedAt: '2026-11-30T11:00:00.000Z',
    }),
    'one of three workers has another EGRESS_ALLOW': parts(
      egress('a', 'host-1'),
      egress('b', 'host-2'),
      egress('a', 'host-3'),
    ),
    'one of two workers, the older': parts(
      egress('a', 'host-1'),
      worker({ hostName: 'host-2', settings: { EGRESS_ALLOW: 'b' }, startedAt: '2026-11-30T11:00:00.000Z' }),
    ),
    'a receiver may differ from a worker': parts(receiver({ settings: { EGRESS_ALLOW: 'c' } }), egress('a', 'host-1')),
    'what differs has no name of a setting': parts(
      worker({ settings: { '27820000004': 'a' } }),
      worker({ hostName: 'host-2', settings: { '27820000004': 'b' } }),
    ),
    'one says nothing of it': parts(egress('a', 'host-1'), worker({ hostName: 'host-2' })),
    unknown,
  },
  disk_low: {
    '20 %': disk(20),
    '19 %': disk(19),
    '15.1 %': disk(15.1),
    '15 %': disk(15),
    '8 %': disk(8),
    '7.9 %': disk(7.9),
    '5 %': disk(5),
    'of the API': parts({
      ...api(),
      disks: [{ of: 'data', freeBytes: GIB, totalBytes: 100 * GIB, neededBytes: 0 }],
    }),
    'the spool may grow by 10 GiB, and there are 11': needs(11),
    'the spool may grow by 10 GiB, and there are 10.5': needs(10.5),
    'the spool may grow by 10 GiB, and there are 9.9': needs(9.9),
    'Redis needs 10 GiB for a rewrite, and there are 9.9': needs(9.9, 'data'),
    'the spool may grow by 10 GiB, and 4 % are free': disk(4, { neededBytes: 10 * GIB }),
    'a disk that tells nothing': disk(0, { totalBytes: 0 }),
    unknown,
  },
};
