import { setTimeout as sleep } from 'node:timers/promises';
import { listQuarantine, queueDepths, readQuarantined } from '@clickrelay/queue';
import { type Cut, type CutMoment, fairNow, waitUntil } from '@clickrelay/testkit';
import { account } from '../account.ts';
import { isAccepted, newCallback, type SentCallback } from '../ledger.ts';
import { type Rig, startRig } from '../rig.ts';
import type { Row, Run } from '../run.ts';
import { answeredWithinMs } from './redis-away.ts';

// Redis is well, but the connection to it breaks, at exactly the chosen command.

const MOMENTS: readonly CutMoment[] = ['before', 'inside', 'after'];
/** The commands that run scripts, in BullMQ and here: every write of a callback is one. */
const SCRIPTS = ['EVALSHA', 'EVAL'];
/** A worker that lost its connection may have to wait for its own lock, see G13. */
const REDELIVERED_WITHIN_MS = 15_000;

const groupsWaiting = async (rig: Rig): Promise<number> => {
  const { ingest } = await queueDepths(rig.store);
  return ingest.messages + ingest.statuses;
};

/** Loads scripts into Redis and opens connections, so that each later walk sends the same commands. */
const warmUp = async (run: Run, rig: Rig): Promise<void> => {
  const types = ['moText'];
  await rig.clickatell.postUntilAccepted(newCallback(run.random, { types }));
  await rig.clickatell.postUntilAccepted(newCallback(run.random, { types: ['messageStatusUpdate'] }));
};

const loseReplies: Row = {
  id: 'G6',
  fault: 'reply of Redis lost after the write',
  run: async (run) => {
    const rig = await startRig(run, { proxied: ['receiver'], start: ['receiver'] });
    await warmUp(run, rig);
    for (let round = 0; round < (run.isLong ? 20 : 6); round++) {
      const callback = newCallback(run.random, { events: run.random.whole(1, 5) });
      const before = await groupsWaiting(rig);
      const isSilent = run.random.chance(0.4);
      if (isSilent) rig.proxy.withholdReplies();
      // Without `refuse`, the client reconnects in time and sends the command a second time by itself.
      else rig.proxy.cutAt({ command: 1, moment: 'after', names: SCRIPTS, refuse: run.random.chance(0.5) });
      const answer = await rig.clickatell.post(callback);
      rig.proxy.heal();
      run.step(
        `${isSilent ? 'no reply' : 'cut after the write'}: answered ${answer.status} in ${answer.ms.toFixed(0)} ms`,
      );
      run.check(answer.ms <= answeredWithinMs(run), `an answer took ${answer.ms.toFixed(0)} ms`);
      run.check((await groupsWaiting(rig)) > before, 'nothing was written: the fault did not happen');
      await rig.clickatell.postUntilAccepted(callback);
    }
    await rig.worker.start();
    await account(run, rig);
    run.check(run.result.repeated === 0, `${run.result.repeated} deliveries were repeated; a resend is no new event`);
  },
};

const cutBatch: Row = {
  id: 'G7',
  fault: 'cut inside a request of many events',
  run: async (run) => {
    const events = run.isLong ? 100 : 30;
    const rig = await startRig(run, { proxied: ['receiver', 'worker'], start: ['receiver'] });
    await warmUp(run, rig);
    await rig.worker.start();
    await waitUntil(() => rig.destination.accepted().size === 2);

    for (let round = 0; round < (run.isLong ? 10 : 2); round++) {
      // In the receiver, at half of the command.
      await rig.worker.stop();
      const callback = newCallback(run.random, { events });
      rig.proxy.cutAt({ command: 1, moment: run.random.pick(['before', 'inside']), names: SCRIPTS, refuse: true });
      const answer = await rig.clickatell.post(callback);
      run.check(!isAccepted(answer), `a callback that was cut was answered ${answer.status}`);
      run.check((await groupsWaiting(rig)) === 0, 'a part of a callback that was cut was stored');
      rig.proxy.heal();
      await rig.clickatell.postUntilAccepted(callback);

      // In the worker, while it logs a hundred events and makes a hundred deliveries of them.
      rig.destination.behave({ status: 503 });
      const [command, moment] = [run.random.whole(1, run.isLong ? 25 : 8), run.random.pick(MOMENTS)];
      const cut = rig.proxy.cutAt({ command, moment, names: [...SCRIPTS, 'HSET', 'XADD', 'MULTI', 'EXEC'] });
      await rig.worker.start();
      await waitUntil(async () => (await groupsWaiting(rig)) === 0, { timeoutMs: REDELIVERED_WITHIN_MS });
      run.step(`worker cut ${moment} command ${command}${cut.happened ? '' : ': it never came to that'}`);
      rig.proxy.heal();
      rig.destination.behave({ status: 200 });
      const taken = () => callback.sentEvents.filter(({ id }) => rig.destination.accepted().has(id)).length;
      await waitUntil(() => taken() === events, { timeoutMs: REDELIVERED_WITHIN_MS }).catch(() => {});
      run.check(taken() === events, `${taken()} of ${events} events came out`);
    }
    await account(run, rig);
    run.check(
      run.result.repeated === 0,
      `${run.result.repeated} deliveries were repeated, none of which was under way`,
    );
  },
};

/** Too large for one job: such a callback is stored beside it in pieces, with many commands. */
const largeBytes = ({ isLong }: Run): number => (isLong ? 700_000 : 300_000);

/** Long enough for a command to pass the proxy. */
const AFTER_THE_ANSWER_MS = 20;

/**
 * What may happen to a command of the receiver: its connection breaks, all connections break for a while, or it is
 * refused.
 */
const receiverFaults = ({ isLong }: Run): readonly Omit<Cut, 'command'>[] => [
  { moment: 'before' },
  { moment: 'after' },
  { moment: 'refused' },
  // To Redis, the first is the same as `before`; the others take a second each until the receiver checks again.
  ...(isLong ? [{ moment: 'inside' } as const, ...MOMENTS.map((moment) => ({ moment, refuse: true }))] : []),
];

/** Deletes everything that expires, as if a day had passed. @returns how many keys that were */
const passADay = async ({ store: { redis } }: Rig): Promise<number> => {
  let gone = 0;
  for (const key of await redis.keys('cr:*')) {
    if (/:(text|p):/.test(key) && (await redis.ttl(key)) >= 0) gone += await redis.del(key);
  }
  return gone;
};

const cutReceiver = (isLarge: boolean): Row => ({
  id: isLarge ? 'CUT-RL' : 'CUT-R',
  fault: `receiver cut from Redis at each command${isLarge ? ' of a large callback' : ''}, or the command refused`,
  run: async (run) => {
    const rig = await startRig(run, { proxied: ['receiver'], start: ['receiver'] });
    await warmUp(run, rig);
    const contentBytes = isLarge ? largeBytes(run) : 0;
    const junkOf = (what: string): SentCallback => ({ body: `${what} ${'x'.repeat(contentBytes)}`, sentEvents: [] });
    const junk = new Set<string>();
    const learning = junkOf('to learn the script');
    await rig.clickatell.postUntilAccepted(learning);
    junk.add(learning.body);
    // And so is the script that keeps a large text.
    await rig.clickatell.postUntilAccepted(newCallback(run.random, { contentBytes }));

    for (const isJunk of [false, true]) {
      for (const fault of receiverFaults(run)) {
        const how = `${fault.moment}${fault.refuse ? ' (all connections)' : ''}`;
        for (let command = 1, isOver = false; !isOver && command < 50; command++) {
          const callback = isJunk
            ? junkOf(`no callback ${how} ${command}`)
            : newCallback(run.random, { events: isLarge && !run.isLong ? 1 : run.random.whole(1, 3), contentBytes });
          if (isJunk) junk.add(callback.body);
          // A refusal without asking Redis would prove nothing.
          await rig.whenReady();
          const cut = rig.proxy.cutAt({ ...fault, command });
          const answer = await rig.clickatell.post(callback);
          // Commands sent after the answer are broken as well.
          await sleep(AFTER_THE_ANSWER_MS);
          isOver = !cut.happened && isAccepted(answer);
          rig.proxy.heal();
          run.step(`${isJunk ? 'no callback' : 'callback'}, ${how} command ${command}: ${answer.status}`);
          run.check(answer.status === 200 || answer.status === 503, `an answer was ${answer.status}`);
          if (!isAccepted(answer)) await rig.clickatell.postUntilAccepted(callback);
        }
      }
    }
    // Acknowledged callbacks do not expire, and half-written ones do.
    run.remark(`${await passADay(rig)} texts of callbacks that were given up half-way expired`);
    const { items } = await listQuarantine(rig.store, { limit: 500 });
    const kept = new Set<string>();
    for (const { id } of items) kept.add(Buffer.from((await readQuarantined(rig.store, id))?.body ?? '').toString());
    const missing = [...junk].filter((body) => !kept.has(body));
    run.check(missing.length === 0, `${missing.length} bodies are not in quarantine as they came`);
    run.check(
      items.length === junk.size,
      `${junk.size} bodies that are no callback made ${items.length} in quarantine`,
    );
    await rig.worker.start();
    await account(run, rig);
    run.check(run.result.repeated === 0, `${run.result.repeated} deliveries were repeated; a resend is no new event`);
    const texts = (await rig.store.redis.keys('cr:*')).filter((key) => key.includes(':text:'));
    const ttls = await Promise.all(texts.map((key) => rig.store.redis.ttl(key)));
    const forEver = ttls.filter((ttl) => ttl === -1).length;
    run.check(forEver === 0, `${forEver} texts of callbacks stay for ever, and nobody needs them`);
  },
});

/** How many rigs run side by side: they mostly wait for locks. */
const RIGS = 4;

const cutWorker = (isLarge: boolean): Row => ({
  id: isLarge ? 'CUT-WL' : 'CUT-W',
  fault: `worker cut from Redis at each command${isLarge ? ' of a large callback' : ''}`,
  timeoutMs: 900_000,
  run: async (run) => {
    const rigs = await Promise.all(
      Array.from({ length: run.isLong ? RIGS : 2 }, () =>
        startRig(run, { proxied: ['worker'], destinations: [{ id: 'crm' }, { id: 'erp' }] }),
      ),
    );
    /** One callback, to a destination that is well and one that fails at first: both paths of an event. */
    const walk = async (rig: Rig, callback: SentCallback): Promise<boolean> => {
      await rig.clickatell.postUntilAccepted(callback);
      return waitUntil(
        () => rig.destinations.every((one) => callback.sentEvents.every(({ id }) => one.accepted().has(id))),
        { timeoutMs: REDELIVERED_WITHIN_MS, everyMs: 5 },
      ).catch(() => false);
    };
    const newWalk = () => newCallback(run.random, { events: 2, contentBytes: isLarge ? largeBytes(run) : 0 });
    for (const rig of rigs) {
      rig.destinations[1]?.behave(({ sentId }) => ({
        status: (rig.destinations[1]?.arrivalsOf(sentId).length ?? 0) > 1 ? 200 : 503,
      }));
      await walk(rig, newWalk());
    }

    const [first] = rigs as [Rig];
    first.proxy.cutAt({ command: Number.POSITIVE_INFINITY, moment: 'after' });
    run.check(await walk(first, newWalk()), 'an undisturbed walk did not end');
    const length = first.proxy.commands.length;
    run.step(`a walk is ${length} commands: ${first.proxy.commands.join(' ')}`);
    run.remark(`an undisturbed walk of the worker is ${length} commands to Redis`);

    // Background commands are counted too, so a walk may be longer than the one measured.
    const all = Array.from({ length: length + 5 }, (_, index) =>
      MOMENTS.map((moment) => ({ moment, command: index + 1 })),
    );
    // The short round takes the hardest moment: carried out, but nobody knows.
    const afterEach = all.flat().filter(({ moment }) => moment === 'after');
    // For a large callback, only its scripts until its text is dropped: the rest is the same. Background commands count
    // too, so the last script, which logs the events, may come some places later. Twice.
    const untilDropped = first.proxy.commands.slice(0, first.proxy.commands.indexOf('MULTI'));
    const scripts = untilDropped.filter((name) => SCRIPTS.includes(name)).length + 5;
    const afterScripts = Array.from({ length: 2 * scripts }, (_, index): Omit<Cut, 'refuse'> => {
      return { moment: 'after', command: (index % scripts) + 1, names: SCRIPTS };
    });
    const cuts: Omit<Cut, 'refuse'>[] = run.isLong ? all.flat() : isLarge ? afterScripts : afterEach;
    await Promise.all(
      rigs.map(async (rig) => {
        for (let cut = cuts.pop(); cut !== undefined; cut = cuts.pop()) {
          const callback = newWalk();
          const made = rig.proxy.cutAt(cut);
          const startedAt = fairNow();
          const isWhole = await walk(rig, callback);
          const ms = fairNow() - startedAt;
          rig.proxy.heal();
          if (ms > 1_000) run.step(`cut ${cut.moment} command ${cut.command} (${made.happened}): ${ms.toFixed(0)} ms`);
          run.check(
            isWhole,
            `cut ${cut.moment} command ${cut.command}: not delivered within ${REDELIVERED_WITHIN_MS} ms`,
          );
        }
      }),
    );
    for (const rig of rigs) {
      await account(run, rig);
      for (const { id, accepted } of rig.destinations) {
        const most = Math.max(...accepted().values());
        run.check(most <= 2, `${id} got one event ${most} times`);
      }
    }
  },
});

export const brokenConnection: readonly Row[] = [
  loseReplies,
  cutBatch,
  cutReceiver(false),
  cutReceiver(true),
  cutWorker(false),
  cutWorker(true),
];
