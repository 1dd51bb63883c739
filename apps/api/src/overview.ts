import { HOUR_MS, MINUTE_MS, toIso } from '@clickrelay/core';
import { needsSomebody } from '@clickrelay/health';
import {
  countQuarantined,
  listDestinations,
  listEvents,
  listHolds,
  readFigures,
  readHours,
  readRefusals,
  type Store,
  sumRefusals,
} from '@clickrelay/queue';
import { z } from 'zod';
import { attemptFigures, attemptFiguresOf } from './attempt-figures.ts';
import { operation } from './operation.ts';
import { refusals } from './refusal-counts.ts';
import { condition } from './schemas.ts';

const STATES = ['paused', 'failing', 'throttled', 'active'] as const;

const isoOf = (ms: number | null): string | null => (ms === null ? null : toIso(ms));

const readRefused = async (store: Store, nowMs: number) => {
  const minute = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
  const [lastMinute, last24h] = await Promise.all([
    readRefusals(store, { fromMs: minute - MINUTE_MS, toMs: minute, step: 'minute' }),
    readRefusals(store, { fromMs: nowMs - 23 * HOUR_MS, toMs: nowMs, step: 'hour' }),
  ]);
  return { lastMinute: sumRefusals(lastMinute.values()), last24h: sumRefusals(last24h.values()) };
};

export const overviewOperations = [
  operation({
    method: 'get',
    path: '/v1/overview',
    summary: 'Show whether everything arrives',
    description: 'And what needs attention, worst first.',
    scopes: ['read'],
    response: z
      .object({
        healthy: z.boolean().describe('Whether nothing is wrong, and everything can be told: as `GET /v1/health`'),
        needs: z.array(condition).describe('The conditions that need a person, the worst first'),
        lastEventAt: z.string().nullable().describe('When the newest event of the log was received'),
        ingest: z
          .object({ messages: z.int(), statuses: z.int() })
          .describe('Groups of callbacks that are not split into events'),
        ingestOldestAt: z
          .object({ messages: z.string().nullable(), statuses: z.string().nullable() })
          .describe('When the oldest group was committed'),
        quarantined: z.int(),
        refused: z
          .object({
            lastMinute: refusals.describe('In the last whole minute'),
            last24h: refusals.describe('In the current hour and the 23 before it'),
          })
          .describe('Callbacks that receivers refused; their counts arrive within 5 seconds'),
        destinations: z.array(
          z.object({
            id: z.string(),
            type: z.string(),
            state: z.enum(STATES),
            until: z.string().nullable().describe('When it is tried again, if it is failing or throttled'),
            waiting: z.int().describe('Deliveries that wait, are active, or will be tried again'),
            oldestAt: z.string().nullable().describe('When the oldest of them was queued'),
            paused: z.string().nullable().describe('Why it is paused; null when it is not'),
            deadLetters: z.int(),
            last24h: attemptFigures.describe('Over the current hour and the 23 before it'),
          }),
        ),
      })
      .meta({ id: 'Overview' }),
    run: async (_request, { store, health }) => {
      const nowMs = Date.now();
      const [figures, all, holds, quarantined, newest] = await Promise.all([
        readFigures(store),
        listDestinations(store),
        listHolds(store, store.clock.now()),
        countQuarantined(store),
        listEvents(store, { limit: 1 }),
      ]);
      const refused = await readRefused(store, nowMs);
      const hours = await readHours(
        store,
        all.map(({ id }) => id),
        24,
        nowMs,
      );
      const destinations = all.map(({ id, type, paused }) => {
        const depth = figures.destinations.find((one) => one.id === id);
        const hold = holds.get(id);
        const state: (typeof STATES)[number] = paused !== null ? 'paused' : (hold?.reason ?? 'active');
        return {
          id,
          type,
          state,
          until: paused === null && hold !== undefined ? toIso(hold.until) : null,
          waiting: depth === undefined ? 0 : depth.waiting + depth.delayed + depth.active,
          oldestAt: isoOf(depth?.oldestAt ?? null),
          paused,
          deadLetters: depth?.deadLetters ?? 0,
          last24h: attemptFiguresOf(hours.get(id) ?? []),
        };
      });
      const inLane = (lane: 'messages' | 'statuses'): number => {
        const { waiting, delayed, active } = figures.ingest[lane];
        return waiting + delayed + active;
      };
      const { state: worst, conditions } = await health.current();
      return {
        healthy: worst === 'ok',
        needs: conditions.filter(needsSomebody),
        lastEventAt: newest.items[0]?.event.receivedAt ?? null,
        ingest: { messages: inLane('messages'), statuses: inLane('statuses') },
        ingestOldestAt: {
          messages: isoOf(figures.ingest.messages.oldestAt),
          statuses: isoOf(figures.ingest.statuses.oldestAt),
        },
        quarantined,
        refused,
        destinations,
      };
    },
  }),
];
