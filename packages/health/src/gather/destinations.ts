import { type Destination, type Figures, listDestinations, p95Ms, readHours, sumHours } from '@clickrelay/queue';
import type { DestinationFacts } from '../facts.ts';
import type { Known } from '../known.ts';
import { ask } from './ask.ts';
import type { Sources } from './sources.ts';

/** How each destination does. */
export const gatherDestinations = (
  sources: Sources,
  figures: Promise<Figures>,
  nowMs: number,
): Promise<Known<readonly DestinationFacts[]>> =>
  ask(sources, async () => {
    const { store } = sources;
    const [all, { destinations }] = await Promise.all([listDestinations(store), figures]);
    const ids = all.map(({ id }) => id);
    const hours = await readHours(store, ids, 2, nowMs);
    return all.map((destination): DestinationFacts => {
      const { id, type, paused, config } = destination;
      const depth = destinations.find((one) => one.id === id);
      const lately = sumHours(hours.get(id) ?? []);
      const attempts = lately.delivered + lately.failed;
      return {
        id,
        type,
        createdAt: null,
        paused: paused === null ? null : { by: pausedBy(destination), at: null },
        failingSince: depth?.state === 'failing' ? nowMs : null,
        lastErrorCode: null,
        throttledSince: depth?.state === 'throttled' ? nowMs : null,
        waiting: depth === undefined ? 0 : depth.waiting + depth.delayed + depth.active,
        oldestWaitingAt: depth?.oldestAt ?? null,
        deadLetters: depth?.deadLetters ?? 0,
        deadLettersLast10m: 0,
        newestDeadLetterAt: null,
        firstAttempts: { ended: 0, failed: 0 },
        attemptsLastHour: attempts,
        p95Ms: p95Ms(lately),
        timeoutMs: timeoutOf(config),
        attempts,
        everDelivered: lately.delivered > 0,
        isRefusedByGuard: false,
        wantedOfLast1000: null,
        lastAskedAt: null,
        certificateEndsAt: null,
        oldSecretEndsAt: null,
      };
    });
  });

const pausedBy = ({ paused }: Destination): 'hand' | 'gone' => (paused?.includes('410') ? 'gone' : 'hand');

const timeoutOf = (config: Readonly<Record<string, unknown>>): number | null =>
  typeof config['timeoutMs'] === 'number' ? config['timeoutMs'] : null;
