import { openQuarantine, type Store } from '@clickrelay/queue';
import { z } from 'zod';
import { RequestRefusedError } from './errors.ts';
import { operation } from './operation.ts';

/* Work on many quarantined callbacks: counted first, then done a part at a time, so that whoever asks sees how far it is
 * and may stop. */

type Quarantine = ReturnType<typeof openQuarantine>;
type QuarantineSelection = Parameters<Quarantine['count']>[0];
type QuarantineCount = Awaited<ReturnType<Quarantine['count']>>;

/** How many ids a request may name. */
const MOST_NAMED = 1_000;
const MOST_AT_ONCE = 500;
/** To remove more, a request must say how many it expects. */
const MOST_UNCOUNTED = 100;
/** How long one request may take; the next one continues. */
const WORKING_MS = 15_000;

const named = z.array(z.string().max(64)).max(MOST_NAMED);
const time = z.iso.datetime({ offset: true });

const selection = z.strictObject({
  callbacks: named.min(1).exactOptional().describe('Only these, by id'),
  except: named.exactOptional().describe('All that match except these, by id'),
  reason: z.string().max(1_000).exactOptional().describe('Only those with this reason, word for word'),
  since: time.exactOptional().describe('Received at or after this time'),
  until: time.exactOptional().describe('Received before this time; at most now'),
  dryRun: z.boolean().default(false).describe('Report what would happen, and change nothing'),
  limit: z.int().min(1).max(MOST_AT_ONCE).default(100).describe('How many to look at in this request'),
});

type Selected = z.output<typeof selection>;

const planned = z.object({
  matched: z.int().describe('How many are chosen'),
  bytes: z.int().describe('Their bytes together'),
  oldest: z.string().nullable().describe('When the oldest of them was received'),
  until: z.string().describe('Sent with the next request, it keeps out callbacks that come in between'),
});

const toSelection = ({ callbacks, except, reason, since, until }: Selected, now: Date): QuarantineSelection => ({
  ...(callbacks !== undefined && { callbacks }),
  ...(except !== undefined && { except }),
  ...(reason !== undefined && { reason }),
  since: since === undefined ? undefined : new Date(since),
  until: until === undefined ? now : new Date(Math.min(Date.parse(until), now.getTime())),
});

const describePlan = (count: QuarantineCount, { until }: QuarantineSelection): z.input<typeof planned> => ({
  ...count,
  until: (until as Date).toISOString(),
});

/** For the audit record: how it was chosen. */
const auditedSelection = ({ callbacks, except, reason, since }: Selected) => ({
  ...(callbacks !== undefined && { callbacks: callbacks.length }),
  ...(except !== undefined && { except: except.length }),
  ...(reason !== undefined && { reason }),
  ...(since !== undefined && { since }),
});

/** Goes through the chosen ones until so many were looked at, or time is up. @returns how many were looked at */
const goThrough = async (
  store: Store,
  chosen: QuarantineSelection,
  { limit, signal }: { limit: number; signal: AbortSignal },
  each: (id: string) => Promise<void>,
): Promise<number> => {
  const endMs = Date.now() + WORKING_MS;
  let looked = 0;
  for await (const one of openQuarantine(store).select(chosen)) {
    if (looked === limit || Date.now() >= endMs || signal.aborted) break;
    await each(one.id);
    looked++;
  }
  return looked;
};

/** @throws {RequestRefusedError} 409 when the request does not expect this many */
const assertExpected = (matched: number, expected: number | undefined): void => {
  const refusal = (message: string) =>
    new RequestRefusedError(409, 'unexpected_count', `${message}; nothing was removed`);
  if (expected === undefined && matched > MOST_UNCOUNTED) {
    throw refusal(`${matched} callbacks match, and more than ${MOST_UNCOUNTED} want that number as \`expected\``);
  }
  if (expected !== undefined && expected !== matched) {
    throw refusal(`${matched} callbacks match, and ${expected} were expected: look at them again with \`dryRun\``);
  }
};

export const quarantineManyOperations = [
  operation({
    method: 'post',
    path: '/v1/quarantine/reparse',
    summary: 'Parse many quarantined callbacks again',
    description:
      'Those that can be read by now are committed, and leave quarantine. With `dryRun`, only reports how many could be.',
    scopes: ['admin'],
    body: selection.extend({
      after: z.int().min(0).default(0).describe('How many that stay are passed over: `after` of the last answer'),
    }),
    deadlineMs: 30_000,
    response: planned.extend({
      parsed: z.int().describe('How many could be read'),
      accepted: z.int().describe('How many events those hold'),
      unreadable: z.int().describe('How many stay, because they still cannot be read'),
      after: z.int().nullable().describe('For the next request, which goes on; null at the end'),
    }),
    run: async ({ body }, { store }, { signal, audit }) => {
      const chosen = toSelection(body, new Date());
      const plan = describePlan(await openQuarantine(store).count(chosen), chosen);
      const done = { parsed: 0, accepted: 0, unreadable: 0 };
      let passed = 0;
      try {
        const looked = await goThrough(store, chosen, { limit: body.after + body.limit, signal }, async (id) => {
          if (passed++ < body.after) return;
          const { outcome, accepted } = await openQuarantine(store).reparse(id, { isDryRun: body.dryRun });
          if (outcome === 'parsed') done.parsed++;
          if (outcome === 'unreadable') done.unreadable++;
          done.accepted += accepted;
        });
        // What was let in is no longer in the way of the next request.
        const stays = body.dryRun ? looked : body.after + done.unreadable;
        return { ...plan, ...done, after: looked < plan.matched ? stays : null };
      } finally {
        if (!body.dryRun && done.parsed > 0) {
          await audit('quarantine.parsed', '*', { ...auditedSelection(body), ...done });
        }
      }
    },
  }),
  operation({
    method: 'post',
    path: '/v1/quarantine/remove',
    summary: 'Delete many quarantined callbacks',
    description: 'For good; with `dryRun`, only reports how many.',
    scopes: ['admin'],
    body: selection.extend({
      expected: z
        .int()
        .min(0)
        .exactOptional()
        .describe(
          'How many match, as the dry run reported; optional up to 100. When another number matches, nothing is removed',
        ),
      why: z
        .string()
        .trim()
        .min(1)
        .max(200)
        .exactOptional()
        .describe('For the audit record: why they are not needed; no personal data'),
    }),
    deadlineMs: 30_000,
    response: planned.extend({
      removed: z.int(),
      left: z.int().describe('How many remain: `expected` of the next request'),
    }),
    errors: { 409: 'unexpected_count' },
    run: async ({ body }, { store }, { signal, audit }) => {
      const chosen = toSelection(body, new Date());
      const plan = describePlan(await openQuarantine(store).count(chosen), chosen);
      if (body.dryRun) return { ...plan, removed: 0, left: plan.matched };
      assertExpected(plan.matched, body.expected);
      let removed = 0;
      try {
        const looked = await goThrough(store, chosen, { limit: body.limit, signal }, async (id) => {
          if ((await openQuarantine(store).remove(id)) === 'removed') removed++;
        });
        return { ...plan, removed, left: plan.matched - looked };
      } finally {
        // Recorded even when the request was cut off: the removed ones are gone.
        const detail = { ...auditedSelection(body), removed, ...(body.why !== undefined && { why: body.why }) };
        if (removed > 0) await audit('quarantine.removed_many', '*', detail);
      }
    },
  }),
];
