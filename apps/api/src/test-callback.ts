import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LoggedEvent, STATUS_TYPE, splitCallback } from '@clickrelay/core';
import {
  announceTest,
  listReceivers,
  readDestination,
  readTestReport,
  type Store,
  TEST_MESSAGE,
} from '@clickrelay/queue';
import { type CallbackCredential, callbackUrls } from '@clickrelay/service/settings';
import { type SampleType, sampleCallback } from '@clickrelay/simulator/samples';
import { z } from 'zod';
import { RequestRefusedError } from './errors.ts';
import { acceptedCredentials } from './known-credentials.ts';
import { operation, type Resources } from './operation.ts';
import { STEPS, type Step, sendThrough } from './send-through.ts';
import { DEFAULT_PREFIX, localBase } from './setup.ts';
import { SAMPLE_TYPES, type Tried, tryDestination } from './try-destination.ts';

/** For each step, in ms. Clickatell's own timeout is documented nowhere. */
const STEP_MS = 10_000;
/** How long the worker may take to report it, in ms. */
const SPLIT_MS = 5_000;
const LOOK_MS = 50;
/** Longer than all steps and one attempt at each destination together. */
const DEADLINE_MS = 90_000;

const makeTest = (type: SampleType, integrationId: string): { body: string; logged: LoggedEvent } => {
  const sample = sampleCallback(type, { messageId: `${TEST_MESSAGE}${randomUUID()}` });
  const body = JSON.stringify({ ...sample, integrationId, integrationName: 'Clickrelay test' });
  const [logged] = splitCallback(body, new Date().toISOString());
  return { body, logged: logged as LoggedEvent };
};

const credentialHeaders = (credential: CallbackCredential | undefined): Record<string, string> => {
  if (credential?.kind === 'header') return { [credential.name]: credential.value };
  if (credential?.kind !== 'basic') return {};
  const pair = Buffer.from(`${credential.user}:${credential.password}`).toString('base64');
  return { authorization: `Basic ${pair}` };
};

type TestReport = NonNullable<Awaited<ReturnType<typeof readTestReport>>>;

const waitForReport = async (store: Store, eventId: string, signal: AbortSignal): Promise<TestReport | undefined> => {
  const deadline = performance.now() + SPLIT_MS;
  for (;;) {
    const report = await readTestReport(store, eventId);
    if (report !== undefined || performance.now() > deadline || signal.aborted) return report;
    await sleep(LOOK_MS);
  }
};

/** The receiver's answer to a callback with one event. */
const judgeCommit = (body: string): Omit<Step, 'step' | 'ms'> => {
  const { accepted, quarantined } = JSON.parse(body) as { accepted: number; quarantined?: string };
  if (accepted === 1) return { ok: true, detail: 'the callback is on stable storage', mend: null };
  if (quarantined === undefined) {
    return { ok: false, detail: 'it arrived without its body', mend: 'see that the proxy passes the body on' };
  }
  return {
    ok: false,
    detail: `it is in quarantine as ${quarantined}`,
    mend: 'see why there: something on the way changed it',
  };
};

const step = z.object({
  step: z.enum(STEPS),
  ok: z.boolean(),
  ms: z.int(),
  detail: z.string().describe('What was found, or what is wrong'),
  mend: z.string().nullable().describe('What to do about it; null when it is ok'),
});

const tried = z.object({
  destinationId: z.string(),
  delivered: z.boolean(),
  status: z.int().nullable(),
  durationMs: z.int(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});

export const testCallbackOperations = [
  operation({
    method: 'post',
    path: '/v1/setup/test-callback',
    summary: 'Send a test callback to the public URL',
    description: 'As Clickatell would; reports each step. No log and no ledger holds it.',
    scopes: ['admin'],
    body: z
      .object({
        type: z.enum(SAMPLE_TYPES).default('moText').describe('Which of the documented samples'),
        deliver: z
          .boolean()
          .default(false)
          .describe('Also deliver it, once and marked as a test, to the webhook destinations that want it'),
      })
      .prefault({}),
    deadlineMs: DEADLINE_MS,
    response: z
      .object({
        ok: z.boolean().describe('Whether every step is ok'),
        through: z.enum(['public', 'local']).describe('`local` without PUBLIC_URL: only the receiver itself is tested'),
        url: z.string().describe('Without the credential'),
        steps: z.array(step).describe('In order; the steps after one that is not ok are left out'),
        type: z.string(),
        wantedBy: z.array(z.string()).describe('The ids of the destinations that a real callback would go to'),
        deliveries: z.array(tried).describe('With `deliver`; consumers of pull destinations get no test'),
      })
      .meta({ id: 'TestCallback' }),
    errors: { 409: 'no_receiver' },
    run: async ({ body: { type, deliver } }, resources, { audit, signal }) => {
      const { store, publicUrl } = resources;
      const [receiver] = await listReceivers(store);
      if (publicUrl === undefined && receiver === undefined) {
        throw new RequestRefusedError(
          409,
          'no_receiver',
          'PUBLIC_URL is not set, and no receiver is running that a test callback could be sent to; start one',
        );
      }
      const base = publicUrl ?? localBase(receiver as NonNullable<typeof receiver>);
      const [credential] = await acceptedCredentials(resources.credentials, store, Date.now());
      const { reply, status } = callbackUrls(base, receiver?.pathPrefix ?? DEFAULT_PREFIX, credential);
      const url = new URL(type === STATUS_TYPE ? status : reply);
      const test = makeTest(type, receiver?.integrationIds[0] ?? 'clickrelay-test');
      await audit('setup.test_callback_sent', url.origin, { type, deliver });
      await announceTest(store, test.logged.event.id);

      const headers = credentialHeaders(credential);
      const { steps, answer } = await sendThrough({ url, headers, body: test.body, timeoutMs: STEP_MS });
      const isThrough = (): boolean => steps.every(({ ok }) => ok);
      let report: TestReport | undefined;
      if (answer !== undefined && isThrough()) steps.push({ step: 'committed', ms: 0, ...judgeCommit(answer.body) });
      if (isThrough()) {
        const since = performance.now();
        report = await waitForReport(store, test.logged.event.id, signal);
        const ms = Math.round(performance.now() - since);
        steps.push({ step: 'split', ms, ...describeReport(report) });
      }
      const wantedBy = [...(report?.wantedBy ?? [])];
      const deliveries = deliver ? await tryAll(resources, wantedBy, { sample: test.logged, signal }) : [];
      return {
        ok: isThrough() && deliveries.every(({ delivered }) => delivered),
        through: publicUrl === undefined ? ('local' as const) : ('public' as const),
        url: `${url.origin}${url.pathname}`,
        steps,
        type,
        wantedBy,
        deliveries,
      };
    },
  }),
];

const describeReport = (report: TestReport | undefined): Omit<Step, 'step' | 'ms'> => {
  if (report === undefined) {
    const mend = 'start a worker, with the same Redis as the receiver, or see why it does not come to it: /v1/overview';
    return {
      ok: false,
      detail: `no worker took it within ${SPLIT_MS / 1_000} s; it will not be delivered later`,
      mend,
    };
  }
  const { eventType, wantedBy, lane } = report;
  const where = wantedBy.length === 0 ? 'no destination wants it' : `would go to ${wantedBy.join(', ')}`;
  return { ok: true, detail: `1 event of the lane ${lane}: ${eventType}; ${where}`, mend: null };
};

const tryAll = async (
  { store, webhook }: Pick<Resources, 'store' | 'webhook'>,
  ids: readonly string[],
  how: { sample: LoggedEvent; signal: AbortSignal },
): Promise<z.input<typeof tried>[]> => {
  const all = await Promise.all(
    ids.map(async (id) => {
      const found = await readDestination(store, id);
      if (found?.type !== webhook.type) return undefined;
      const { delivered, status, durationMs, error }: Tried = await tryDestination(webhook, found, how);
      return { destinationId: id, delivered, status, durationMs, error: error && { ...error } };
    }),
  );
  return all.filter((one) => one !== undefined);
};
