import type { DiskFacts } from '@clickrelay/queue';
import { whenKnown } from '../known.ts';
import { below, type Reach } from '../reach.ts';
import type { Rule, Sighting } from '../rule.ts';
import { percent, size } from '../words.ts';
import { worstOfEach } from './by-host.ts';

const FREE = [
  { severity: 'warning', raise: 0.15, clear: 0.2 },
  { severity: 'critical', raise: 0.05, clear: 0.08 },
] as const;
/** The share of what may still be written for which there is room. */
const ROOM = [{ severity: 'warning', raise: 0.999_999, clear: 1.1 }] as const;

export const diskLow: Rule = {
  code: 'disk_low',
  kind: 'relay',
  levels: [{ severity: 'warning' }, { severity: 'critical' }],
  when:
    'A disk of Clickrelay has 15 % free (warning) or 5 % (critical), until 20 % or 8 %; or less than the spool may ' +
    'still grow, or than our own Redis needs to rewrite its file (warning).',
  about:
    'A full disk takes no callback. Make room, give the spool or Redis a larger disk, or lower `SPOOL_MAX_BYTES` to ' +
    'what there is room for.',
  look: ({ parts }) =>
    whenKnown(parts, (living) =>
      worstOfEach(living.flatMap(({ hostName, disks }) => disks.flatMap((disk) => sightDisk(hostName, disk)))),
    ),
};

const sightDisk = (hostName: string, disk: DiskFacts): Sighting[] => {
  const { of, freeBytes, totalBytes, neededBytes } = disk;
  const share = below(freeBytes / totalBytes, FREE);
  const room = neededBytes > 0 ? below(freeBytes / neededBytes, ROOM) : undefined;
  const reached = worse(share, room);
  if (reached === undefined) return [];
  const name = of === 'spool' ? 'the spool' : 'DATA_DIR';
  const free = `the disk of ${name} on ${hostName} has ${size(freeBytes)} free`;
  const sentence =
    reached === room
      ? `${free}, and ${of === 'spool' ? 'the spool may still take' : 'Redis needs'} ${size(neededBytes)}`
      : `${free}, ${percent(freeBytes / totalBytes)} of it`;
  const text = of === 'spool' ? 'make room, or lower SPOOL_MAX_BYTES' : 'make room, or give it a larger disk';
  return [{ id: hostName, ...reached, count: 0, sentence, mend: { text, link: 'docs/operations.md#the-spool' } }];
};

const worse = (share: Reach | undefined, room: Reach | undefined): Reach | undefined => {
  if (share === undefined || room === undefined) return share ?? room;
  return share.raises === null && room.raises !== null ? room : share;
};
