import { HOUR_MS, MINUTE_MS } from '@clickrelay/core';
import type { Part, ReceiverPart } from '@clickrelay/queue';
import { whenKnown } from '../known.ts';
import { above, below, fully } from '../reach.ts';
import type { Rule, Sighting } from '../rule.ts';
import { amount, duration, isAre, percent, size } from '../words.ts';
import { receiversOf, worstOfEach } from './by-host.ts';

type Receiver = ReceiverPart & Part;
type Spool = NonNullable<Receiver['readiness']['spool']>;
type Look = (receiver: Receiver, nowMs: number) => Omit<Sighting, 'id'> | undefined;

const SPOOL = 'docs/operations.md#the-spool';

/** A rule about each host on which a receiver runs. */
const ofReceivers = (rule: Pick<Rule, 'code' | 'levels' | 'when' | 'about'>, look: Look): Rule => ({
  ...rule,
  kind: 'receiver',
  look: ({ parts }, nowMs) =>
    whenKnown(parts, (living) =>
      worstOfEach(
        receiversOf(living).flatMap((receiver) => {
          const seen = look(receiver, nowMs);
          return seen === undefined ? [] : [{ id: receiver.hostName, ...seen }];
        }),
      ),
    ),
});

const receiverNotReady = ofReceivers(
  {
    code: 'receiver_not_ready',
    levels: [{ severity: 'critical', forMs: 10_000 }],
    when: 'A receiver has called itself not ready (`/readyz`) for 10 seconds.',
    about:
      'It answers 503, and Clickatell sends the callbacks again for some time. The sentence says what is wrong, as ' +
      '[`/readyz`](operations.md#durability) does.',
  },
  ({ hostName, readiness: { ready, problems } }) => {
    if (ready) return undefined;
    // What the spool refuses names its folder.
    const told = problems.map(({ setting, value }) =>
      setting === 'spool' ? 'its spool takes none' : `${setting} is ${value}`,
    );
    const sentence = `the receiver on ${hostName} takes no callbacks${told.length > 0 ? `: ${told.join('; ')}` : ''}`;
    const mends = [...new Set(problems.map(({ mend }) => mend))];
    const command = mends.find((mend) => mend.startsWith('redis-cli'));
    const text = mends.filter((mend) => mend !== command).join('; ') || 'mend what it says';
    return { ...fully('critical'), count: 0, sentence, mend: { text, command, link: 'docs/operations.md#durability' } };
  },
);

const WAITING = [
  { severity: 'warning', raise: 2 * MINUTE_MS, clear: MINUTE_MS },
  { severity: 'critical', raise: HOUR_MS, clear: 30 * MINUTE_MS },
] as const;

/** Whether Redis takes nothing now, so that the spool only grows. */
const isSpooling = ({ readiness }: Receiver): boolean => readiness.durability === 'spool' || !readiness.ready;

const spooling = ofReceivers(
  {
    code: 'spooling',
    levels: [{ severity: 'warning' }, { severity: 'critical' }],
    when: 'The oldest callback in a spool is 2 minutes old (warning) or an hour (critical); until 1 minute or 30.',
    about:
      'Callbacks are safe on the disk of the receiver, and come late. The sentence says why: Redis takes none, or ' +
      'workers do not keep up.',
  },
  (receiver, nowMs) => {
    const { hostName, readiness } = receiver;
    const oldestAt = readiness.spool?.oldestAt;
    if (readiness.spool === undefined || oldestAt == null) return undefined;
    const ageMs = nowMs - Date.parse(oldestAt);
    const reached = above(ageMs, WAITING);
    if (reached === undefined) return undefined;
    const { records } = readiness.spool;
    const why = isSpooling(receiver) ? 'Redis takes none' : 'workers do not keep up';
    const inSpool = `${amount(records, 'callback')} ${isAre(records)} in the spool of ${hostName}`;
    const sentence = `${inSpool}, the oldest for ${duration(ageMs)}: ${why}`;
    const text = isSpooling(receiver) ? 'bring Redis back' : 'start more workers';
    const command = isSpooling(receiver) ? 'clickrelay doctor' : 'clickrelay start --roles worker';
    return { ...reached, count: records, sentence, mend: { text, command, link: SPOOL } };
  },
);

const FILLED = [
  { severity: 'warning', raise: 0.5, clear: 0.4 },
  { severity: 'critical', raise: 0.8, clear: 0.7 },
] as const;
/** In how many ms it is full. */
const SOON = [{ severity: 'critical', raise: HOUR_MS, clear: 2 * HOUR_MS }] as const;

const spoolFilling = ofReceivers(
  {
    code: 'spool_filling',
    levels: [{ severity: 'warning' }, { severity: 'critical' }],
    when:
      'A spool has taken 50 % of `SPOOL_MAX_BYTES` (warning) or 80 % (critical), until 40 % or 70 %; or, at the rate ' +
      'of the last 10 minutes, it is full within an hour (critical), until 2.',
    about: 'When it is full, callbacks get 503. Bring Redis back, start more workers, or raise `SPOOL_MAX_BYTES`.',
  },
  ({ hostName, readiness }) => {
    if (readiness.spool === undefined) return undefined;
    const { records, bytes, maxBytes } = readiness.spool;
    const fullInMs = timeToFull(readiness.spool);
    const [full, soon] = [above(bytes / maxBytes, FILLED), below(fullInMs, SOON)];
    // Soon is critical: it holds whatever is reached beside it.
    const reached = soon === undefined ? full : { ...soon, raises: soon.raises ?? full?.raises ?? null };
    if (reached === undefined) return undefined;
    const atThisRate = soon === undefined ? '' : `, and at this rate full in ${duration(fullInMs)}`;
    const share = `${percent(bytes / maxBytes)} full: ${size(bytes)} of ${size(maxBytes)}`;
    const sentence = `the spool of ${hostName} is ${share}${atThisRate}`;
    const text = 'bring Redis back, start more workers, or raise SPOOL_MAX_BYTES';
    return { ...reached, count: records, sentence, mend: { text, link: SPOOL } };
  },
);

/** For ever, when it does not grow or nobody can tell. */
const timeToFull = ({ bytes, maxBytes, bytesPerMinute }: Spool): number =>
  bytesPerMinute === null || bytesPerMinute <= 0
    ? Number.POSITIVE_INFINITY
    : (Math.max(maxBytes - bytes, 0) / bytesPerMinute) * MINUTE_MS;

const spoolRefusing = ofReceivers(
  {
    code: 'spool_refusing',
    levels: [{ severity: 'critical' }],
    when: 'At once, when a spool would not take a callback: it is full, or its disk refuses it.',
    about:
      'While Redis is away, callbacks get 503. Bring Redis back, or make room on that disk; its log has ' +
      '`spool.failing`.',
  },
  ({ hostName, readiness: { spool } }) => {
    if (spool === undefined || spool.refusing === null) return undefined;
    const isFull = spool.bytes >= 0.95 * spool.maxBytes;
    const why = isFull ? `${size(spool.maxBytes)} are used up` : 'its disk refuses them';
    const text = isFull ? 'bring Redis back, or raise SPOOL_MAX_BYTES' : 'make room on its disk, or mend it';
    const sentence = `the spool of ${hostName} takes no callbacks: ${why}`;
    return { ...fully('critical'), count: spool.records, sentence, mend: { text, link: SPOOL } };
  },
);

const spoolSetAside = ofReceivers(
  {
    code: 'spool_set_aside',
    levels: [{ severity: 'critical' }],
    when: 'At once, while a file lies in `SPOOL_DIR/set-aside`.',
    about:
      'A `.damaged` file holds callbacks that cannot be read back: do not trust that disk. A `.refused` one holds a ' +
      'callback that Redis refused while it took others. [The spool](operations.md#the-spool) says how to try it ' +
      'again.',
  },
  ({ hostName, readiness: { spool } }) => {
    if (spool === undefined || spool.setAside === 0) return undefined;
    const sentence = `${amount(spool.setAside, 'file')} of the spool of ${hostName} ${isAre(spool.setAside)} set aside`;
    const mend = { text: 'look into SPOOL_DIR/set-aside there, and take the files away', link: SPOOL };
    return { ...fully('critical'), count: spool.setAside, sentence, mend };
  },
);

export const receiverRules: readonly Rule[] = [receiverNotReady, spooling, spoolFilling, spoolRefusing, spoolSetAside];
