import { setTimeout as sleep } from 'node:timers/promises';
import { MINUTE_MS } from '@clickrelay/core';
import { followEvents, type Store } from '@clickrelay/queue';
import { RequestRefusedError } from './errors.ts';
import { maskEvent } from './mask.ts';
import { operation, ServerSentEvents } from './operation.ts';

/** In ms. */
const LOOK_EVERY = 500;
const HEARTBEAT_EVERY = 15_000;
/** Then the stream ends. The browser reconnects by itself, and its key or session is checked again. */
const LONGEST = 5 * MINUTE_MS;
const COME_AGAIN_AFTER = 2_000;

const PAGE = 100;
/** A reader that is further behind is told to read the list again. */
const MOST_PAGES_AT_ONCE = 10;
const MOST_STREAMS = 50;

let streams = 0;

async function* follow(store: Store, { after, signal }: { after: string | undefined; signal: AbortSignal }) {
  streams++;
  try {
    const endsAt = performance.now() + LONGEST;
    let cursor = after ?? (await followEvents(store, { limit: 1 })).next;
    let saidAt = performance.now();
    let fullPages = 0;
    yield `retry: ${COME_AGAIN_AFTER}\nid: ${cursor}\n\n`;
    while (!signal.aborted && performance.now() < endsAt) {
      const { items, next } = await followEvents(store, { limit: PAGE, after: cursor });
      cursor = next;
      fullPages = items.length === PAGE ? fullPages + 1 : 0;
      if (fullPages > MOST_PAGES_AT_ONCE) {
        cursor = (await followEvents(store, { limit: 1 })).next;
        fullPages = 0;
        yield `event: resync\nid: ${cursor}\ndata: {}\n\n`;
      } else {
        const told = items.map(({ event }) => `event: event\ndata: ${JSON.stringify(maskEvent(event))}\n`);
        // The last event carries the place: a reader that is cut off before it gets these events again.
        if (told.length > 0) yield `${told.join('\n')}id: ${cursor}\n\n`;
      }
      if (items.length > 0) saidAt = performance.now();
      else if (performance.now() - saidAt > HEARTBEAT_EVERY) {
        saidAt = performance.now();
        yield ': here\n\n';
      }
      if (fullPages === 0) await sleep(LOOK_EVERY, undefined, { signal }).catch(() => {});
    }
  } finally {
    streams--;
  }
}

export const streamOperations = [
  operation({
    method: 'get',
    path: '/v1/stream',
    summary: 'Stream events to a browser',
    description: 'As server-sent events, with personal data hidden.',
    scopes: ['read'],
    responseType: 'text/event-stream',
    errors: { 429: 'too_many_requests' },
    run: async (_request, { store }, { browser, signal }) => {
      if (streams >= MOST_STREAMS) {
        const message = `${MOST_STREAMS} streams are open, and no more are; ask again later, or follow /v1/events`;
        throw new RequestRefusedError(429, 'too_many_requests', message, { retryAfterMs: COME_AGAIN_AFTER });
      }
      return new ServerSentEvents(follow(store, { after: browser.lastEventId, signal }));
    },
  }),
];
