import { parseRate, type Rate, toIso } from '@clickrelay/core';
import {
  boundSelection,
  countSelected,
  createReplay,
  listFailedAgain,
  listReplays,
  type Replay,
  readReplay,
  setReplayState,
} from '@clickrelay/queue';
import { z } from 'zod';
import { nameOf } from './authenticate.ts';
import { notFound } from './errors.ts';
import { allowFilter } from './filter-access.ts';
import { HIDDEN } from './mask.ts';
import { type AnswerOf, operation, pageOf, pageQuery } from './operation.ts';
import {
  auditedSelection,
  checkSelection,
  describePlan,
  filters,
  planned,
  selection,
  toSelection,
} from './selection.ts';

const state = z.enum(['dead_letter', 'delivered']);

const replay = z
  .object({
    id: z.string().describe('`rpl_…`'),
    by: z.string().describe('The name of the key that made it'),
    createdAt: z.string(),
    state: z
      .enum(['running', 'paused', 'cancelled', 'done'])
      .describe('`paused` will go on some time, `cancelled` is given up; either can be resumed'),
    selection: z.object({
      state,
      deliveryCount: z.int().exactOptional().describe('How many deliveries were named'),
      exceptCount: z.int().exactOptional().describe('How many were named as exceptions'),
      ...filters,
      until: z.string(),
    }),
    rate: z.string().nullable(),
    matched: z
      .int()
      .nullable()
      .describe('How many deliveries were chosen when it was made; null when there were too many to count'),
    replayed: z.int().describe('How many were sent again so far'),
    delivered: z.int().describe('How many of those were delivered'),
    failed: z.int().describe('How many of those became dead letters again'),
    skipped: z.int().describe('Chosen, but already pending'),
  })
  .meta({ id: 'Replay' });

const params = z.object({ id: z.string().regex(/^rpl_[0-9a-f]{16}$/, 'must be the id of a replay, rpl_…') });

const describe = ({ selection: { destinationId, events, since, until, ...rest }, ...replay }: Replay) => ({
  ...replay,
  selection: {
    ...rest,
    ...(destinationId !== undefined && { destination: destinationId }),
    ...(events !== undefined && { events: [...events] }),
    ...(since !== undefined && { since: toIso(since) }),
    until: toIso(until),
  },
});

type Told = AnswerOf<typeof replay>;

/** The filter of a replay may name a phone number. */
const maskReplay = (told: Told): Told =>
  told.selection.filter === undefined ? told : { ...told, selection: { ...told.selection, filter: HIDDEN } };

const CHANGES = { running: 'replay.resumed', paused: 'replay.paused', cancelled: 'replay.cancelled' } as const;

const secondsAt = ({ max, spanMs }: Rate, count: number): number => (count * spanMs) / max / 1_000;

export const replayOperations = [
  operation({
    method: 'post',
    path: '/v1/replays',
    summary: 'Replay many deliveries',
    description: 'At a rate; with `dryRun`, only reports how many.',
    scopes: ['replay'],
    body: selection
      .extend({
        state: state
          .default('dead_letter')
          .describe(
            'Which state to send again, also among `deliveries`: one that was delivered since is not sent twice',
          ),
        rate: z
          .string()
          .refine((text) => parseRate(text) !== undefined, 'must be a number per s, m or h, such as 500/s')
          .exactOptional()
          .describe('The highest rate: `500/s`. Default: as fast as possible'),
        dryRun: z.boolean().default(false).describe('Report what would be sent again, and send nothing'),
      })
      .check(checkSelection),
    status: 202,
    response: planned.extend({
      seconds: z.number().nullable().describe('How long it takes at this rate; null without a rate'),
      replay: replay.nullable().describe('Null for a dry run'),
    }),
    mask: ({ replay: made, ...plan }) => ({ ...plan, replay: made === null ? null : maskReplay(made) }),
    errors: { 404: 'not_found' },
    deadlineMs: 30_000,
    run: async ({ body: { rate, dryRun, ...chosen } }, { store }, { caller, audit }) => {
      await allowFilter(chosen.filter, { operation: '/v1/replays', caller, audit });
      const wanted = await toSelection(store, chosen);
      const nowMs = Date.now();
      const secondsOf = (matched: number | undefined): number | null => {
        const parsed = parseRate(rate ?? '');
        return parsed === undefined || matched === undefined ? null : Math.ceil(secondsAt(parsed, matched));
      };
      if (dryRun) {
        const bounded = boundSelection(wanted, nowMs);
        const counted = await countSelected(store, bounded);
        return { ...describePlan(counted, bounded), seconds: secondsOf(counted.matched), replay: null };
      }
      const ask = { selection: wanted, rate: rate ?? null, by: nameOf(caller) };
      const { counted, ...made } = await createReplay(store, ask, nowMs);
      await audit('replay.made', made.id, { ...auditedSelection(chosen), matched: made.matched });
      return {
        ...describePlan(counted, made.selection),
        seconds: secondsOf(counted.matched),
        replay: describe(made),
      };
    },
  }),
  operation({
    method: 'get',
    path: '/v1/replays',
    summary: 'List replays of many deliveries',
    description: 'Newest first: who made them, what they choose, and their progress.',
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
    summary: 'Read one replay',
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
    method: 'get',
    path: '/v1/replays/{id}/failed',
    summary: 'List what failed again',
    description: 'The deliveries of the replay that became dead letters again.',
    scopes: ['read', 'replay'],
    params,
    query: pageQuery,
    response: pageOf(z.string().describe('`dlv_…`')),
    errors: { 404: 'not_found' },
    run: async ({ params: { id }, query }, { store }) => {
      if ((await readReplay(store, id)) === undefined) throw notFound('replay', id);
      return listFailedAgain(store, id, query);
    },
  }),
  operation({
    method: 'patch',
    path: '/v1/replays/{id}',
    summary: 'Pause, cancel or resume a replay',
    description: 'A finished one stays finished.',
    scopes: ['replay'],
    params,
    body: z.strictObject({ state: z.enum(['running', 'paused', 'cancelled']) }),
    response: replay,
    mask: maskReplay,
    errors: { 404: 'not_found' },
    run: async ({ params: { id }, body: { state } }, { store }, { audit }) => {
      const found = await setReplayState(store, id, state);
      if (found === undefined) throw notFound('replay', id);
      await audit(CHANGES[state], id);
      return describe(found);
    },
  }),
];
