import { setTimeout as sleep } from 'node:timers/promises';
import { deliveryId } from '@clickrelay/core';
import {
  changeDestination,
  listDeadLetters,
  listDestinations,
  pauseDestination,
  readDestination,
  replayDelivery,
  resumeDestination,
} from '@clickrelay/queue';
import { waitUntil } from '@clickrelay/testkit';
import { account } from '../account.ts';
import type { CheckingDestination } from '../destination.ts';
import { isAccepted, newCallback, type SentCallback } from '../ledger.ts';
import type { Random } from '../random.ts';
import { countOpen, credential, FIRST_PASSWORD, type Rig, startRig } from '../rig.ts';
import type { Row, Run } from '../run.ts';

/*
 * Random sequences of everything that can happen to Clickrelay, several things at a time. The ledger is the model: it
 * must balance, whatever happens in whatever order.
 */

/** Short, so that there are dead letters to replay; the breaker and a 410 add to the variety. */
const RETRY_SCHEDULE = '0s,50ms,100ms,200ms,300ms,300ms,300ms,300ms';

interface World {
  readonly run: Run;
  readonly rig: Rig;
  readonly random: Random;
  readonly posted: SentCallback[];
  /** Credentials that the receiver accepts. */
  passwords: string[];
  /** The latest signing keys, by destination. */
  readonly keys: Map<string, string[]>;
}

interface Step {
  readonly weight: number;
  /** What it did, for the log. */
  act(world: World): Promise<string>;
}

const anyDestination = ({ rig, random }: World): CheckingDestination => random.pick(rig.destinations);

const post: Step = {
  weight: 6,
  act: async ({ rig, random, posted }) => {
    const callbacks = Array.from({ length: random.whole(1, 8) }, () =>
      newCallback(random, { events: random.whole(1, 6) }),
    );
    posted.push(...callbacks);
    const answers = await Promise.all(callbacks.map((callback) => rig.clickatell.post(callback)));
    return `post ${callbacks.length}: ${answers.filter(isAccepted).length} accepted`;
  },
};

const resend: Step = {
  weight: 3,
  act: async ({ rig, random, posted }) => {
    if (posted.length === 0) return 'nothing to resend';
    const callback = random.pick(posted);
    // Sometimes twice at once, as Clickatell does when an answer is slow.
    const answers = await Promise.all(Array.from({ length: random.whole(1, 2) }, () => rig.clickatell.post(callback)));
    return `resend: ${answers.map(({ status }) => status)}`;
  },
};

const crashReceiver: Step = {
  weight: 2,
  act: async ({ rig, random, posted }) => {
    const callback = newCallback(random, { events: 2 });
    posted.push(callback);
    const answer = rig.clickatell.post(callback);
    await sleep(random.whole(0, 10));
    await rig.receiver.kill();
    await rig.receiver.start();
    return `kill -9 of the receiver: ${(await answer).status} to what was under way`;
  },
};

const crashWorker: Step = {
  weight: 3,
  act: async ({ rig }) => {
    await rig.worker.kill();
    await rig.worker.start();
    return 'kill -9 of the worker';
  },
};

const stopWorker: Step = {
  weight: 1,
  act: async ({ rig, run }) => {
    const code = await rig.worker.stop();
    run.check(code === 0, `the worker ended with ${code}`);
    await rig.worker.start();
    return 'SIGTERM of the worker';
  },
};

const freezeWorker: Step = {
  weight: 1,
  act: async ({ rig, random }) => {
    const ms = random.whole(200, random.chance(0.3) ? 7_000 : 1_500);
    rig.worker.freeze();
    await sleep(ms);
    rig.worker.thaw();
    return `SIGSTOP of the worker for ${ms} ms`;
  },
};

const killRedis: Step = {
  weight: 3,
  act: async ({ rig, random }) => {
    await rig.redis.kill();
    const ms = random.whole(0, 1_500);
    await sleep(ms);
    await rig.redis.restart();
    return `kill -9 of Redis for ${ms} ms`;
  },
};

const freezeRedis: Step = {
  weight: 2,
  act: async ({ rig, random }) => {
    const ms = random.whole(200, random.chance(0.3) ? 6_000 : 2_000);
    await rig.redis.kill('SIGSTOP');
    await sleep(ms);
    await rig.redis.kill('SIGCONT');
    return `SIGSTOP of Redis for ${ms} ms`;
  },
};

const breakConnections: Step = {
  weight: 4,
  act: async ({ rig, random }) => {
    const how = random.pick(['cut', 'cut at', 'withhold', 'delay', 'freeze'] as const);
    const ms = random.whole(50, 1_500);
    if (how === 'cut') rig.proxy.cut();
    else if (how === 'cut at') {
      const cut = {
        command: random.whole(1, 40),
        moment: random.pick(['before', 'inside', 'after'] as const),
        refuse: random.chance(0.3),
      };
      rig.proxy.cutAt(cut);
      await sleep(ms);
      rig.proxy.heal();
      return `cut ${cut.moment} command ${cut.command}${cut.refuse ? ', and refuse' : ''}`;
    } else if (how === 'withhold') rig.proxy.withholdReplies();
    else if (how === 'delay') rig.proxy.delay(random.whole(5, 100));
    else rig.proxy.freeze();
    await sleep(ms);
    rig.proxy.heal();
    return `connections to Redis: ${how} for ${ms} ms`;
  },
};

const misbehave: Step = {
  weight: 6,
  act: async (world) => {
    const { random, run } = world;
    const destination = anyDestination(world);
    const how = random.pick(['up', 'up', '503', '410', '429', 'slow', 'reset', 'hang', 'moody'] as const);
    if (how === 'up') destination.behave({ status: 200 });
    else if (how === '429') destination.behave({ status: 429, headers: { 'retry-after': '1' } });
    else if (how === 'slow') destination.behave({ status: 200, delayMs: 400 });
    else if (how === 'reset' || how === 'hang') destination.behave(how);
    else if (how === 'moody') destination.behave(() => ({ status: run.noise.pick([200, 500, 404, 301]) }));
    else destination.behave({ status: Number(how) });
    return `${destination.id} is ${how}`;
  },
};

const replay: Step = {
  weight: 3,
  act: async (world) => {
    const { rig, random } = world;
    const destination = anyDestination(world);
    const { items } = await listDeadLetters(rig.store, { limit: 50, destinationId: destination.id });
    const delivered = destination.arrivals.filter(({ acceptedAt }) => acceptedAt !== undefined);
    const ids = [
      ...items.map((letter) => letter.deliveryId),
      ...delivered.slice(-20).map(({ webhookId }) => deliveryId(webhookId, destination.id)),
    ];
    const place = random.next();
    const id = ids[Math.floor(place * ids.length)];
    if (id === undefined) return 'nothing to replay';
    return `replay one of ${items.length} dead letters or ${delivered.length} delivered: ${await replayDelivery(rig.store, id)}`;
  },
};

const pauseOrResume: Step = {
  weight: 2,
  act: async (world) => {
    const { rig, random } = world;
    const { id } = anyDestination(world);
    const isPause = random.chance(0.4);
    if (isPause) await pauseDestination(rig.store, id, 'moving house');
    else await resumeDestination(rig.store, id);
    return `${isPause ? 'pause' : 'resume'} ${id}`;
  },
};

/**
 * Rotates a secret as an operator does: the new one beside the old, then alone once nothing signed before is under way.
 */
const rotateSigningKey: Step = {
  weight: 2,
  act: async (world) => {
    const destination = anyDestination(world);
    const { store } = world.rig;
    const next = `whsec_${Buffer.from(world.random.hex(32)).toString('base64')}`;
    let live: string[] = [];
    await changeDestination(store, destination.id, (present) => {
      if (present === undefined) throw new Error(`${destination.id} is gone`);
      const known = present.config['secret'] as string[];
      live = known.length > 1 ? known.slice(0, 1) : [next, ...known];
      // The destination accepts both for as long as either may come.
      destination.secrets = [...new Set([...destination.secrets, ...live])];
      return { ...present, config: { ...present.config, secret: live } };
    });
    world.keys.set(destination.id, live);
    return `${destination.id} has ${live.length} signing keys`;
  },
};

const rotateCredential: Step = {
  weight: 1,
  act: async (world) => {
    const { rig, random } = world;
    const next = random.hex(12);
    world.passwords = world.passwords.length > 1 ? world.passwords.slice(0, 1) : [next, ...world.passwords];
    rig.receiver.env['CALLBACK_AUTH'] = world.passwords.map((password) => credential(password).setting).join(',');
    await rig.receiver.stop();
    await rig.receiver.start();
    // The sender changes over while both are live.
    rig.clickatell.authorization = credential(world.passwords[0] as string).header;
    return `the receiver takes ${world.passwords.length} credentials`;
  },
};

const STEPS: readonly Step[] = [
  post,
  resend,
  crashReceiver,
  crashWorker,
  stopWorker,
  freezeWorker,
  killRedis,
  freezeRedis,
  breakConnections,
  misbehave,
  replay,
  pauseOrResume,
  rotateSigningKey,
  rotateCredential,
];
const WEIGHTED = STEPS.flatMap((step) => Array<Step>(step.weight).fill(step));

/** Ends all faults, and replays everything that was given up. */
const mend = async ({ rig }: World): Promise<void> => {
  rig.proxy.heal();
  for (const destination of rig.destinations) destination.behave({ status: 200 });
  await rig.whenReady();
  // Reopen those that answered 410 or were paused by hand, until all are open: a worker may still be about to park one.
  await waitUntil(
    async () => {
      const paused = (await listDestinations(rig.store)).filter((one) => one.paused !== null);
      for (const { id } of paused) await resumeDestination(rig.store, id);
      const { items } = await listDeadLetters(rig.store, { limit: 500 });
      for (const letter of items) await replayDelivery(rig.store, letter.deliveryId);
      return (
        paused.length === 0 && items.length === 0 && (await rig.spooled()) === 0 && (await countOpen(rig.store)) === 0
      );
    },
    { timeoutMs: 300_000, everyMs: 200, what: 'nothing to do for anybody' },
  );
};

const randomSequences: Row = {
  id: 'RANDOM',
  fault: 'random sequences of all of these, replays, pauses and key rotation',
  timeoutMs: 800_000,
  run: async (run) => {
    const { random } = run;
    const hasSpool = random.chance(0.5);
    const rig = await startRig(run, {
      spool: hasSpool,
      proxied: ['receiver', 'worker'],
      worker: { RETRY_SCHEDULE },
      destinations: [
        { id: 'crm', config: { timeoutMs: 1_500 } },
        { id: 'bot', events: ['mo*'], config: { timeoutMs: 1_500 } },
        { id: 'audit', events: ['messageStatusUpdate'], config: { timeoutMs: 1_500 } },
      ],
    });
    const world: World = { run, rig, random, posted: [], passwords: [FIRST_PASSWORD], keys: new Map() };
    run.step(hasSpool ? 'with a spool' : 'without a spool');
    const stop = new AbortController();
    const load = rig.clickatell.load({ signal: stop.signal, connections: 2, pauseMs: 100 });
    const steps = run.isLong ? 60 : 25;
    for (let number = 0; number < steps; number++) {
      run.step(await random.pick(WEIGHTED).act(world));
      await sleep(random.whole(0, 300));
    }
    stop.abort();
    await load;
    await mend(world);
    await account(run, rig);
    for (const [id, keys] of world.keys) {
      const { config } = (await readDestination(rig.store, id)) ?? {};
      run.check(String(config?.['secret']) === String(keys), `${id} has other signing keys than were put last`);
    }
    const odd = rig.ledger.answers.find(({ status }) => ![0, 200, 503].includes(status));
    run.check(odd === undefined, `a callback was answered ${odd?.status} (${odd?.body})`);
    // Replays were requested, so the number of arrivals says nothing here.
    run.remark(`${run.result.repeated} deliveries more than one each, replays among them`);
    run.result.repeated = 0;
  },
};

export const randomRows: readonly Row[] = [randomSequences];
