import { DESTINATION_ID, parseRate } from '@clickrelay/core';
import { checkFilter } from '@clickrelay/declarations';
import {
  countSelected,
  createReplay,
  listReplays,
  type Replay,
  type ReplaySelection,
  readDestination,
  readReplay,
  setReplayState,
} from '@clickrelay/queue';
import { z } from 'zod';
import { nameOf } from './authenticate.ts';
import { HIDDEN } from './mask.ts';
import { type Answer, notFound, operation, pageOf, pageQuery } from './operation.ts';
import { deadLetterKind } from './schemas.ts';

const selection = z.strictObject({
  state: z.enum(['dead_letter', 'delivered']).default('dead_letter').describe('What is sent again'),
  destination: z.string().regex(DESTINATION_ID).exactOptional().describe('Of this destination only'),
  kind: deadLetterKind.exactOptional(),
  events: z.array(z.string().min(1)).min(1).max(100).exactOptional().describe('Patterns of event types: `mo*`'),
  since: z.iso
    .datetime({ offset: true })
    .exactOptional()
    .describe('Dead letters that failed, or events that came, at or after this time'),
  until: z.iso.datetime({ offset: true }).exactOptional().describe('Before this time; at most the present'),
  filter: z
    .string()
    .max(2_000)
    .check(checkFilter)
    .exactOptional()
    .describe('An expression (CEL) over `event` that must be true'),
});

const replay = z
  .object({
    id: z.string().describe('`rpl_…`'),
    by: z.string().describe('The name of the key that asked for it'),
    createdAt: z.string(),
    state: z.enum(['running', 'cancelled', 'done']),
    selection: selection.extend({ state: z.enum(['dead_letter', 'delivered']), until: z.string() }),
    rate: z.string().nullable(),
    matched: z.int().nullable().describe('Chosen when it was made; null when they were too many to be counted'),
    replayed: z.int(),
    skipped: z.int().describe('Chosen, but on their way already'),
  })
  .meta({ id: 'Replay' });

const params = z.object({ id: z.string().regex(/^rpl_[0-9a-f]{16}$/, 'must be the id of a replay, rpl_…') });

const toSelection = ({ destination, since, until, ...rest }: z.output<typeof selection>): ReplaySelection => ({
  ...rest,
  ...(destination !== undefined && { destinationId: destination }),
  ...(since !== undefined && { since: Date.parse(since) }),
  ...(until !== undefined && { until: Date.parse(until) }),
});

const describe = ({ selection: { destinationId, events, since, until = 0, ...rest }, ...replay }: Replay) => ({
  ...replay,
  selection: {
    ...rest,
    ...(destinationId !== undefined && { destination: destinationId }),
    ...(events !== undefined && { events: [...events] }),
    ...(since !== undefined && { since: new Date(since).toISOString() }),
    until: new Date(until).toISOString(),
  },
});

type Told = Answer<z.input<typeof replay>>;

/** Chosen may be what came from one number. */
const maskReplay = (told: Told): Told =>
  told.selection.filter === undefined ? told : { ...told, selection: { ...told.selection, filter: HIDDEN } };

export const replayOperations = [
  operation({
    method: 'post',
    path: '/v1/replays',
    summary: 'Send many deliveries again, at a rate; or, with `dryRun`, only count them',
    scopes: ['replay'],
    body: selection.extend({
      rate: z
        .string()
        .refine((text) => parseRate(text) !== undefined, 'must be a number per s, m or h, such as 500/s')
        .exactOptional()
        .describe('At most so many in a time: `500/s`. Default: as fast as it goes'),
      dryRun: z.boolean().default(false).describe('Count what would be sent again, and send nothing'),
    }),
    status: 202,
    response: z.object({
      matched: z.int().nullable().describe('Null when they are too many to be counted'),
      replay: replay.nullable().describe('Null for a dry run'),
    }),
    mask: ({ matched, replay: made }) => ({ matched, replay: made === null ? null : maskReplay(made) }),
    errors: { 404: 'not_found' },
    deadlineMs: 30_000,
    run: async ({ body: { rate, dryRun, ...chosen } }, { store }, { caller, audit }) => {
      const { destination } = chosen;
      if (destination !== undefined && (await readDestination(store, destination)) === undefined) {
        throw notFound('destination', destination);
      }
      const wanted = toSelection(chosen);
      if (dryRun) return { matched: (await countSelected(store, wanted)) ?? null, replay: null };
      const made = await createReplay(store, { selection: wanted, rate: rate ?? null, by: nameOf(caller) }, Date.now());
      const { destination: destinationId = null, events = null, filter = null } = chosen;
      // A filter may hold a phone number: the replay shows it, the record does not.
      const detail = { destination: destinationId, events, hasFilter: filter !== null, matched: made.matched };
      await audit('replay.made', made.id, detail);
      return { matched: made.matched, replay: describe(made) };
    },
  }),
  operation({
    method: 'get',
    path: '/v1/replays',
    summary: 'List replays of many deliveries, newest first: who asked for what, and how far it is',
    scopes: ['read', 'replay'],
    query: pageQuery,
    response: pageOf(replay),
    mask: ({ items, next }) => ({ items: items.map(maskReplay), next }),
    run: async ({ query }, { store }) => {
      const { items, next } = await listReplays(store, query);
      return { items: items.map(describe), next };
    },
  }),
  operation({
    method: 'get',
    path: '/v1/replays/{id}',
    summary: 'Read one replay of many deliveries',
    scopes: ['read', 'replay'],
    params,
    response: replay,
    mask: maskReplay,
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, { store }) => {
      const found = await readReplay(store, id);
      if (found === undefined) throw notFound('replay', id);
      return describe(found);
    },
  }),
  operation({
    method: 'patch',
    path: '/v1/replays/{id}',
    summary: 'Cancel a replay, or let it go on where it stopped; one that is done stays done',
    scopes: ['replay'],
    params,
    body: z.strictObject({ state: z.enum(['running', 'cancelled']) }),
    response: replay,
    mask: maskReplay,
    errors: { 404: 'not_found' },
    run: async ({ params: { id }, body: { state } }, { store }, { audit }) => {
      const found = await setReplayState(store, id, state);
      if (found === undefined) throw notFound('replay', id);
      await audit(state === 'running' ? 'replay.resumed' : 'replay.cancelled', id);
      return describe(found);
    },
  }),
];
