import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { listQuarantine, queueDepths, readQuarantined, reparseQuarantined, trimEventLog } from '@clickrelay/queue';
import { freshCopy, samples } from '@clickrelay/simulator';
import { waitUntil } from '@clickrelay/testkit';
import { account } from '../account.ts';
import { newCallback, type SentCallback } from '../ledger.ts';
import type { Random } from '../random.ts';
import { countOpen, type Rig, startRig } from '../rig.ts';
import type { Row } from '../run.ts';

// Nothing is broken here except the callbacks.

const DEDUPE_TTL_MS = 6_000;

const sendAgain: Row = {
  id: 'G17',
  fault: 'the same callback again after everything was cleaned',
  shortIn: 'packages/queue/src/log/dedupe.test.ts',
  run: async (run) => {
    const rig = await startRig(run, { worker: { DEDUPE_TTL: `${DEDUPE_TTL_MS}ms` } });
    const callback = newCallback(run.random, { events: 3 });
    const arrivals = () => rig.destination.arrivals.length;
    const settled = () => waitUntil(async () => (await countOpen(rig.store)) === 0);
    const startedAt = performance.now();
    await rig.clickatell.postUntilAccepted(callback);
    await waitUntil(() => arrivals() === 3);
    await settled();
    // As if a week had passed: neither event nor attempt is left.
    const cleaned = await trimEventLog(
      rig.store,
      { eventsMs: 0, eventBytes: 0, deliveriesMs: 0 },
      Date.now() + 7 * 86_400_000,
    );
    run.check(cleaned === 3, `${cleaned} of 3 events were cleaned`);
    let sent = 1;
    for (; performance.now() - startedAt < DEDUPE_TTL_MS / 2; sent++) {
      await rig.clickatell.postUntilAccepted(callback);
      await sleep(500);
    }
    await settled();
    // If it took longer, the machine stood still for so long that no promise applies.
    const isInTime = performance.now() - startedAt < DEDUPE_TTL_MS;
    const known = arrivals();
    run.check(known === 3 || !isInTime, `${sent} resends within the time to live made ${known - 3} more deliveries`);
    run.step(`${sent} sent within the time to live`);
    // A duplicate is recognised for at most a third longer.
    await sleep(DEDUPE_TTL_MS * (4 / 3) + 1_500 - (performance.now() - startedAt));
    await rig.clickatell.postUntilAccepted(callback);
    await waitUntil(() => arrivals() === known + 3, { timeoutMs: 60_000 }).catch(() => {});
    run.check(arrivals() === known + 3, `after the time to live ${arrivals() - known} of 3 events were accepted again`);
    const asSaid = run.result.failures.length === 0;
    await account(run, rig);
    // The second arrival is not a duplicate: the time to live is over.
    if (asSaid) run.result.repeated -= known;
  },
};

/** Unforeseen JSON. */
const anything = (random: Random, depth = 0): unknown => {
  const kind = random.whole(0, depth > 4 ? 4 : 6);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(0.5);
  if (kind === 2) return random.pick([0, -0.5, 1e21, 123_456_789, Number.MAX_SAFE_INTEGER, random.next()]);
  if (kind <= 4) return random.pick(['', 'é😀\u2028', '\u0000\n"\\', 'x'.repeat(300), random.hex(8), ' __proto__ ']);
  if (kind === 5) return Array.from({ length: random.whole(0, 4) }, () => anything(random, depth + 1));
  return Object.fromEntries(
    Array.from({ length: random.whole(0, 4) }, () => [
      random.pick(['channel', 'content', 'status', 'constructor', 'a b', 'ü', random.hex(4)]),
      anything(random, depth + 1),
    ]),
  );
};

/** A callback whose elements have any type and any fields, even known fields of the wrong kind. */
const strangeCallback = (random: Random): SentCallback => {
  const sentEvents = Array.from({ length: random.whole(1, 4) }, () => {
    const type = random.pick(['moText', 'moMedia', 'messageStatusUpdate', 'moHologram', `x${random.hex(6)}`, 'mo-é']);
    const id = random.hex(32);
    const fields = anything(random);
    const isObject = typeof fields === 'object' && fields !== null && !Array.isArray(fields);
    return { id, type, raw: { ...(isObject ? fields : { field: fields }), messageId: id } };
  });
  const event: Record<string, unknown[]> = {};
  for (const { type, raw } of sentEvents) event[type] = [...(event[type] ?? []), raw];
  return { body: JSON.stringify({ integrationId: 'x', [random.hex(4)]: anything(random), event }), sentEvents };
};

const sendNews: Row = {
  id: 'G18',
  fault: 'unknown types, fields, channels and statuses',
  run: async (run) => {
    const rig = await startRig(run);
    for (const sample of Object.values(samples.odd)) {
      const copy = freshCopy(sample);
      const sentEvents = Object.entries(copy.event).flatMap(([type, elements]) =>
        elements.map((element, index) => {
          const raw = element as Record<string, unknown>;
          // Elements are identified by their id here, so each has one.
          raw['messageId'] = `${String(raw['messageId'] ?? '')}${index}${run.random.hex(16)}`;
          return { id: raw['messageId'] as string, type, raw };
        }),
      );
      const answer = await rig.clickatell.postUntilAccepted({ body: JSON.stringify(copy), sentEvents });
      run.check(answer.status === 200, `an odd sample was answered ${answer.status} (${answer.body})`);
    }
    for (let n = 0; n < (run.isLong ? 500 : 100); n++) {
      const callback = strangeCallback(run.random);
      const answer = await rig.clickatell.postUntilAccepted(callback);
      const expected = JSON.stringify({ accepted: callback.sentEvents.length });
      run.check(answer.status === 200 && answer.body === expected, `a new thing was answered ${answer.body}`);
    }
    await account(run, rig);
  },
};

const sendJunk: Row = {
  id: 'G19',
  fault: 'authentic bodies that are no callback',
  shortIn: 'apps/receiver/test/main.test.ts',
  run: async (run) => {
    const rig = await startRig(run, { receiver: { CALLBACK_INTEGRATION_IDS: 'wanted' } });
    const { random } = run;
    const whole = newCallback(random).body;
    const junk = [
      'hello',
      '{"event":',
      '[]',
      'null',
      '42',
      '{"event":[]}',
      '{"event":{"moText":{}}}',
      '{"text":"flat","fromNumber":"1"}',
      `{"event":{"moText":[{"__proto__":{"a":1}}]}}`,
      `{"event":{"moText":[${'['.repeat(5_000)}${']'.repeat(5_000)}]}}`,
      `${'['.repeat(200_000)}`,
      whole.slice(0, random.whole(1, whole.length - 1)),
      Buffer.from([0xff, 0xfe, 0x00, random.whole(0, 255)]).toString('latin1'),
      whole,
    ].map((text) => `${text}${text === whole ? '' : ' '.repeat(random.whole(0, 3))}`);
    for (const body of junk) {
      const answer = await rig.clickatell.postUntilAccepted({ body, sentEvents: [] });
      run.check(answer.status === 200, `a body that is no callback was answered ${answer.status} (${answer.body})`);
    }
    const bodies = new Set<string>();
    for (const { id } of (await listQuarantine(rig.store, { limit: 500 })).items) {
      bodies.add(Buffer.from((await readQuarantined(rig.store, id))?.body ?? '').toString());
    }
    const missing = junk.filter((body) => !bodies.has(body));
    run.check(missing.length === 0, `${missing.length} bodies are not in quarantine as they came`);
    run.check(bodies.size === new Set(junk).size, `${junk.length} bodies made ${bodies.size} in quarantine`);

    // A compressed body that is cut off: the bytes are kept as received.
    const torn = gzipSync(whole).subarray(0, -12);
    const response = await fetch(`${rig.receiver.url}/client-callback/one-api-reply`, {
      method: 'POST',
      headers: { authorization: rig.clickatell.authorization, 'content-encoding': 'gzip' },
      body: torn,
    });
    run.check(response.status === 200, `a torn gzip body was answered ${response.status}`);

    // One of them was a valid callback, from an integration that was not on the list.
    const { items } = await listQuarantine(rig.store, { limit: 500 });
    const kept = await Promise.all(
      items.map(async ({ id }) => ({ id, body: (await readQuarantined(rig.store, id))?.body })),
    );
    run.check(
      kept.some(({ body }) => body !== undefined && torn.equals(body)),
      'a torn gzip body was not kept',
    );
    const wanted = kept.find(({ body }) => body !== undefined && Buffer.from(body).toString() === whole);
    const again = wanted === undefined ? undefined : await reparseQuarantined(rig.store, wanted.id);
    run.check(again?.accepted === 1, 'a quarantined callback could not be parsed again');
    await waitUntil(() => rig.destination.arrivals.length === 1, { timeoutMs: 60_000 }).catch(() => {});
    run.check(rig.destination.arrivals.length === 1, 'a callback that left quarantine was not delivered');
  },
};

const sendByQuery: Row = {
  id: 'G37',
  fault: 'statuses as the query of a GET, as old settings of the portal send them',
  shortIn: 'apps/receiver/test/refuse.test.ts',
  run: async (run) => {
    const rig = await startRig(run, { receiver: { CALLBACK_AUTH: 'query:s1' } });
    const base = `${rig.receiver.url}/client-callback/one-api-status`;
    const send = async (query: string): Promise<Response> => fetch(`${base}?${query}`);
    const sent = Array.from(
      { length: run.isLong ? 200 : 30 },
      () => `messageId=${run.random.hex(32)}&statusCode=${run.random.whole(1, 200)}&status=DELIVERED`,
    );
    for (const [index, query] of sent.entries()) {
      const places = [`token=s1&${query}`, `${query}&token=s1`];
      const { status } = await send(run.random.pick(places));
      run.check(status === 200, `a status in a query was answered ${status}`);
      // More wrong ones in a minute from one address are 429.
      if (index >= 20) continue;
      const stranger = await send(`${query}&token=s2`);
      run.check(stranger.status === 401, `a status with a wrong credential was answered ${stranger.status}`);
    }
    run.check((await send('')).status === 200, 'an empty probe was refused');
    const { items } = await listQuarantine(rig.store, { limit: 500 });
    const kept = await Promise.all(items.map(async ({ id }) => String((await readQuarantined(rig.store, id))?.body)));
    const missing = sent.filter((query) => !kept.some((body) => body.endsWith(`?${query}`)));
    run.check(missing.length === 0, `${missing.length} of ${sent.length} statuses were answered 200 and not kept`);
    run.check(kept.length === sent.length, `${kept.length} kept of ${sent.length}`);
    run.check(!kept.some((body) => body.includes('s1')), 'a credential was kept');
  },
};

const usedBytes = async ({ store }: Rig): Promise<number> =>
  Number(/used_memory:(\d+)/.exec(await store.redis.info('memory'))?.[1]);

const sendVeryLarge: Row = {
  id: 'G32',
  fault: 'one callback of thousands of elements, under a name as long as all of them',
  shortIn: 'apps/worker/test/large-callbacks.test.ts',
  timeoutMs: 480_000,
  run: async (run) => {
    const rig = await startRig(run, { destinations: [{ id: 'crm', config: { concurrency: 4 } }] });
    rig.destination.behave({ status: 200, delayMs: 5 });
    const bulk = newCallback(run.random, { events: run.isLong ? 3_000 : 1_500, types: ['moText'] });
    const body = JSON.stringify({ ...JSON.parse(bulk.body), integrationName: 'n'.repeat(250_000) });
    const before = await usedBytes(rig);
    await rig.clickatell.postUntilAccepted({ ...bulk, body });
    const half = bulk.sentEvents.length / 2;
    await waitUntil(async () => ((await queueDepths(rig.store)).destinations[0]?.waiting ?? 0) > half, {
      timeoutMs: 60_000,
      what: 'half of it waiting',
    });
    const factor = ((await usedBytes(rig)) - before) / body.length;
    run.check(factor < 20, `it takes ${factor.toFixed(1)} times its size in Redis`);

    const already = rig.destination.arrivals.length;
    const singles = Array.from({ length: 5 }, () => newCallback(run.random, { types: ['moText'] }));
    for (const single of singles) await rig.clickatell.postUntilAccepted(single);
    const ids = new Set(singles.flatMap(({ sentEvents }) => sentEvents.map(({ id }) => id)));
    await waitUntil(() => [...ids].every((id) => rig.destination.arrivalsOf(id).length > 0), {
      timeoutMs: 120_000,
      what: 'the messages behind it',
    });
    const later = rig.destination.arrivals.slice(already);
    const ahead =
      later.slice(
        0,
        later.findLastIndex(({ sentId }) => ids.has(sentId)),
      ).length -
      ids.size +
      1;
    run.remark(`${factor.toFixed(1)} times its size in Redis; ${ahead} of ${half * 2} elements before five messages`);
    run.check(ahead < 500, `${ahead} elements of a large callback came before five messages`);
    await account(run, rig);
  },
};

export const unusualCallbacks: readonly Row[] = [sendAgain, sendNews, sendJunk, sendVeryLarge, sendByQuery];
