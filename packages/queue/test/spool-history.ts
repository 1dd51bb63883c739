import { moveBatch } from '../src/intake/move-batch.ts';
import { encodeEntry, encodeFooter, type SpoolEntry } from '../src/spool/record.ts';
import { openSpool, type Spool } from '../src/spool/spool.ts';
import { RECEIVED_AT } from './sample-events.ts';
import { createSimulatedDisk, type Random, type SimulatedDisk } from './simulated-disk.ts';

/* One life of a spool on a simulated disk that breaks at every step, told by its seed. */

const DIR = '/spool';
const SET_ASIDE = `${DIR}/set-aside`;
/** So many calls in a row that fail on a disk that works say that the drain is stuck. */
const PATIENCE = 200;

interface Life {
  readonly random: Random;
  readonly disk: SimulatedDisk;
  readonly options: { readonly segmentBytes: number; readonly batchEntries: number; readonly maxBytes: number };
  readonly appended: Map<string, SpoolEntry>;
  readonly acknowledged: Set<string>;
  /** What the pretend Redis has. */
  readonly drained: Set<string>;
  /** Entries that it takes never. */
  readonly refused: Set<string>;
  /** The files that the operator was told of. */
  readonly told: Set<string>;
  readonly steps: string[];
  refuses: number;
  flips: number;
  crashes: number;
  spool: Spool | undefined;
}

export interface History {
  readonly acknowledged: number;
  readonly drained: number;
  readonly setAside: number;
  readonly crashes: number;
  readonly flips: number;
  /** What is wrong; undefined when nothing is. */
  readonly broken: string | undefined;
  readonly steps: readonly string[];
}

/** Lives one history, heals everything, drains everything, and counts. */
export const runHistory = async (seed: number): Promise<History> => {
  const random = randomOf(seed);
  const life: Life = {
    random,
    disk: createSimulatedDisk(random),
    options: {
      segmentBytes: 100 + below(random, 1_500),
      batchEntries: 1 + below(random, 6),
      maxBytes: random() < 0.2 ? 3_000 : 1_000_000,
    },
    appended: new Map(),
    acknowledged: new Set(),
    drained: new Set(),
    refused: new Set(),
    told: new Set(),
    steps: [],
    refuses: 0,
    flips: 0,
    crashes: 0,
    spool: undefined,
  };
  const broken = await live(life).catch((error: Error) => error.message);
  const { acknowledged, drained, crashes, flips } = life;
  const setAside = life.disk.contents(SET_ASIDE).size;
  return {
    acknowledged: acknowledged.size,
    drained: drained.size,
    setAside,
    crashes,
    flips,
    broken,
    steps: life.steps,
  };
};

const live = async (life: Life): Promise<undefined> => {
  const { random, disk } = life;
  await open(life);
  for (let left = 5 + below(random, 25); left > 0; left--) {
    await stepOf(life)(life);
    if (disk.faults.callsToCrash < 0) await crash(life);
    life.steps.push(...disk.calls.splice(0));
  }
  Object.assign(disk.faults, { errors: 0, isFull: false, callsToCrash: Number.POSITIVE_INFINITY });
  life.refuses = 0;
  say(life, 'everything is healed');
  await open(life);
  await drainAll(life);
  judge(life);
  say(life, 'close, and open again');
  await (life.spool as Spool).close();
  life.spool = undefined;
  await open(life);
  await drainAll(life);
  judge(life);
  const left = [...disk.contents(DIR).keys()].filter((name) => name.endsWith('.spool'));
  if (left.length > 0) throw new Error(`${left.length} segments are left when all is drained`);
  await (life.spool as Spool | undefined)?.close();
};

type Step = (life: Life) => Promise<void>;

const stepOf = ({ random }: Life): Step => {
  const steps: readonly (readonly [weight: number, step: Step])[] = [
    [8, append],
    [5, async (life) => void (await drain(life, 1 + below(random, 4)))],
    [3, async (life) => void (await Promise.all([append(life), drain(life, 1 + below(random, 3))]))],
    [3, flip],
    [3, changeDisk],
    [2, changeRedis],
    [2, crash],
    [2, armCrash],
    [1, reopen],
  ];
  let at = random() * steps.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, step] of steps) {
    at -= weight;
    if (at < 0) return step;
  }
  return append;
};

const say = ({ steps, disk }: Life, what: string): void => void steps.push(...disk.calls.splice(0), what);

const open = async (life: Life): Promise<void> => {
  const { disk } = life;
  for (let tries = 0; life.spool === undefined; tries++) {
    if (tries === 3) Object.assign(disk.faults, { errors: 0, isFull: false });
    if (tries > PATIENCE) throw new Error('the spool does not open on a disk that works');
    if (disk.faults.callsToCrash < 0) disk.crash();
    life.spool = await openSpool({
      ...life.options,
      dir: DIR,
      disk: disk.boot(),
      deadlineMs: 1_000_000,
      // A clock that stands still, and is put back at times.
      now: () => below(life.random, 20),
      onNotice: (notice) => {
        if ('keptIn' in notice) life.told.add(notice.keptIn);
      },
    }).catch((error: Error) => {
      say(life, `open: ${error.message}`);
      return undefined;
    });
  }
};

/** Some callbacks at once. Equal ones are common in length, so that a wrong position hits a record. */
const append = async (life: Life): Promise<void> => {
  const entries = Array.from({ length: 1 + below(life.random, 6) }, () => newEntry(life));
  say(life, `append ${entries.length}`);
  await Promise.all(
    entries.map(async (entry) => {
      const key = keyOf(entry);
      life.appended.set(key, entry);
      if (life.random() < 0.03) life.refused.add(key);
      const isKept = await (life.spool as Spool).append(entry).then(
        () => true,
        () => false,
      );
      if (isKept) life.acknowledged.add(key);
    }),
  );
  say(life, `  ${life.acknowledged.size} of ${life.appended.size} acknowledged so far`);
};

const newEntry = ({ random, appended }: Life): SpoolEntry => {
  const number = String(appended.size + below(random, 2) * 0).padStart(6, '0');
  const text = `${number}-${Math.floor(random() * 1e9)}`;
  if (random() < 0.85) {
    const pad = 'x'.repeat(random() < 0.7 ? 0 : below(random, 300));
    return { kind: 'callback', lane: 'messages', receivedAt: RECEIVED_AT, text: JSON.stringify({ text, pad }) };
  }
  // A body may be anything, also what the spool itself writes.
  const forged: SpoolEntry = { kind: 'callback', lane: 'messages', receivedAt: RECEIVED_AT, text: `forged ${text}` };
  const body = Buffer.concat([Buffer.from(text), encodeEntry(forged), encodeFooter(below(random, 4))]);
  return { kind: 'quarantine', reason: 'no JSON', receivedAt: RECEIVED_AT, body };
};

const drain = async (life: Life, batches: number): Promise<boolean> => {
  say(life, `drain ${batches}`);
  try {
    for (let left = batches; left > 0; left--) {
      const spool = life.spool as Spool;
      const batch = await spool.read();
      if (batch === undefined) return true;
      let pauses = 0;
      const isMoved = await moveBatch(batch, {
        isOpen: async () => pauses < 10,
        send: async (entry) => {
          const isRefused = life.refused.has(keyOf(entry)) || life.random() < life.refuses;
          if (isRefused) throw new Error('Redis refuses it');
          life.drained.add(keyOf(entry));
        },
        takesOthers: async () => life.random() >= life.refuses,
        setAside: (index, reason) => spool.setAside(batch, index, reason),
        pause: async () => void pauses++,
      });
      if (isMoved) await spool.done(batch);
      say(life, `  ${batch.entries.length} read, ${life.drained.size} in Redis`);
    }
    return false;
  } catch (error) {
    say(life, `  ${(error as Error).message}`);
    return false;
  }
};

/** As drain-spool.ts does it: as long as files take room. */
const drainAll = async (life: Life): Promise<void> => {
  for (let tries = 0; (life.spool as Spool).stats().bytes > 0; tries++) {
    if (tries > PATIENCE) throw new Error(`the drain is stuck: ${JSON.stringify((life.spool as Spool).stats())}`);
    await drain(life, 100);
  }
};

/** Turns over one bit of a segment or of a position. */
const flip = async (life: Life): Promise<void> => {
  const { random, disk } = life;
  const files = [...disk.contents(DIR)].filter(([name, bytes]) => name !== 'probe' && bytes.length > 0);
  const [name, bytes] = files[below(random, files.length)] ?? [];
  if (name === undefined || bytes === undefined) return;
  // Damage is rare: what is lost by one flip must not be found in the noise of others.
  if (life.flips > 2) return;
  const at = below(random, bytes.length);
  life.flips++;
  say(life, `flip a bit of byte ${at} of ${name}`);
  disk.flip(`${DIR}/${name}`, at, below(random, 8));
};

const changeDisk: Step = async (life) => {
  const { random, disk } = life;
  disk.faults.errors = random() < 0.5 ? 0 : random() * 0.3;
  disk.faults.isFull = random() < 0.3;
  say(life, `the disk: ${(disk.faults.errors * 100).toFixed(0)} % of calls fail${disk.faults.isFull ? ', full' : ''}`);
};

const changeRedis: Step = async (life) => {
  life.refuses = life.random() < 0.5 ? 0 : life.random();
  say(life, `Redis refuses ${(life.refuses * 100).toFixed(0)} %`);
};

const armCrash: Step = async (life) => {
  life.disk.faults.callsToCrash = below(life.random, 40);
  say(life, `the process will die in ${life.disk.faults.callsToCrash} calls`);
};

const crash: Step = async (life) => {
  say(life, 'crash');
  const dead = life.spool;
  life.spool = undefined;
  life.crashes++;
  life.disk.crash();
  await dead?.close().catch(() => {});
  await open(life);
};

const reopen: Step = async (life) => {
  say(life, 'close, and open again');
  await life.spool?.close().catch(() => {});
  life.spool = undefined;
  if (life.disk.faults.callsToCrash < 0) {
    life.crashes++;
    life.disk.crash();
  }
  await open(life);
};

/** Acknowledged, without what is in Redis or in a file for a person, is nothing; and nothing comes from nowhere. */
const judge = (life: Life): void => {
  const { acknowledged, drained, appended, disk, spool, crashes, told } = life;
  const invented = [...drained].filter((key) => !appended.has(key));
  if (invented.length > 0) throw new Error(`${invented.length} in Redis that nobody appended`);
  const files = disk.contents(SET_ASIDE);
  const missing = [...acknowledged].filter((key) => !drained.has(key));
  const lost = missing.filter((key) => {
    const record = encodeEntry(appended.get(key) as SpoolEntry);
    return ![...files.values()].some((bytes) => holds(bytes, record, life.flips));
  });
  if (lost.length > 0) {
    throw new Error(`${lost.length} of ${acknowledged.size} acknowledged are lost, ${missing.length} not in Redis`);
  }
  const { records, bytes, setAside } = (spool as Spool).stats();
  if (records !== 0 || bytes !== 0) throw new Error(`stats when all is drained: ${records} records, ${bytes} bytes`);
  if (setAside !== files.size) throw new Error(`stats().setAside is ${setAside}, files are ${files.size}`);
  const untold = [...files.keys()].filter((name) => !told.has(`${SET_ASIDE}/${name}`));
  if (crashes === 0 && untold.length > 0) throw new Error(`${untold.length} files that nobody was told of`);
};

/** Whether the bytes hold a record, but for so many bits. */
const holds = (bytes: Buffer, record: Buffer, bits: number): boolean => {
  for (let from = 0; from + record.length <= bytes.length; from++) {
    let wrong = 0;
    for (let at = 0; at < record.length && wrong <= bits; at++) {
      let different = (bytes[from + at] as number) ^ (record[at] as number);
      for (; different > 0; different &= different - 1) wrong++;
    }
    if (wrong <= bits) return true;
  }
  return false;
};

const keyOf = (entry: SpoolEntry): string => encodeEntry(entry).toString('latin1');

const below = (random: Random, limit: number): number => Math.floor(random() * limit);

/** Mulberry32: small, and the same everywhere. */
const randomOf = (seed: number): Random => {
  let state = Math.imul(seed + 1, 0x9e3779b1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};
