import type { EventWithDeliveries } from '@clickrelay/client';
import { useEffect, useState } from 'preact/hooks';
import { useRoute } from 'preact-iso/router';
import { titleOf } from '../event-words.ts';
import { useLoad } from '../load.ts';
import { Copy } from '../parts/copy.tsx';
import { CopyCall } from '../parts/copy-call.tsx';
import { EventFacts } from '../parts/event-facts.tsx';
import { Icon } from '../parts/icon.tsx';
import { Json } from '../parts/json.tsx';
import { Failed, Skeleton } from '../parts/page-state.tsx';
import { deliveryState, State } from '../parts/state.tsx';
import { Walk } from '../parts/walk.tsx';
import { call, may } from '../session.ts';

/** What is shown in the clear is hidden again after this long, in ms. */
const REVEAL_MS = 60_000;
/** While a delivery is on its way, it is looked at again this often, in ms. */
const LOOK_MS = 5_000;

/** What happened to this event? */
const EventPage = () => {
  const { id = '' } = useRoute().params;
  const [isRevealed, setRevealed] = useState(false);
  useEffect(() => {
    if (!isRevealed) return;
    const timer = setTimeout(() => setRevealed(false), REVEAL_MS);
    return () => clearTimeout(timer);
  }, [isRevealed]);
  const loaded = useLoad(
    `${id} ${isRevealed}`,
    (signal) => call('GET /v1/events/{id}', { path: { id }, query: { reveal: isRevealed ? 'true' : 'false' }, signal }),
    // Each look in the clear is written to the audit record: one is enough.
    isRevealed ? {} : { everyMs: LOOK_MS },
  );
  const event = loaded.data;
  return (
    <>
      <div class="head">
        <div class="grow">
          <p class="small">
            <a href="/events">Events</a> / {event?.type}
          </p>
          <h1 class="title">
            {event === undefined ? 'Event' : titleOf(event)}
            {event?.from != null && <span class="masked mono"> from {event.from}</span>}
            {event !== undefined && <Worst event={event} />}
          </h1>
          <p class="mono id">
            {id}
            <Copy text={id} label="event id" />
          </p>
        </div>
        <CopyCall path={`/v1/events/${id}`} command={`events ${id}`} />
        {event?.messageId != null && (
          <a class="btn" href={`/messages/${encodeURIComponent(event.messageId)}`}>
            <Icon name="msg" />
            Message
          </a>
        )}
      </div>
      <div class="cols facts-beside">
        <section class="card">
          <header>
            <h2>What happened</h2>
          </header>
          <Failed loaded={loaded} />
          {event === undefined ? loaded.error === undefined && <Skeleton /> : <Walk event={event} />}
        </section>
        {event !== undefined && (
          <div class="stack">
            <section class="card">
              <header>
                <h2 class="grow">Event</h2>
                {may('reveal') && (
                  <button
                    class="btn s"
                    type="button"
                    aria-pressed={isRevealed}
                    onClick={() => setRevealed(!isRevealed)}
                  >
                    <Icon name={isRevealed ? 'eyeoff' : 'eye'} />
                    {isRevealed ? 'Hide' : 'Reveal'}
                  </button>
                )}
              </header>
              <div class="body">
                <EventFacts event={event} />
                {may('reveal') && <p class="small muted">Revealing is written to the audit record.</p>}
              </div>
            </section>
            <section class="card">
              <header>
                <h2 class="grow">Raw</h2>
                <span class={`tag ${event.valid === false ? 'warn' : ''}`}>
                  {event.valid === false ? 'does not fit its type' : 'fits its type'}
                </span>
                <Copy text={JSON.stringify(event.raw, null, 2)} label="raw element" />
              </header>
              <div class="body">
                <Json value={event.raw} />
              </div>
            </section>
          </div>
        )}
      </div>
    </>
  );
};

const ORDER = ['dead', 'retrying', 'waiting'] as const;

/** The worst of its deliveries, beside the title. */
const Worst = ({ event: { deliveries } }: { event: EventWithDeliveries }) => {
  for (const name of ORDER) {
    const found = deliveries.find(({ state, attempts }) => deliveryState(state, attempts.length) === name);
    if (found !== undefined) {
      return (
        <State name={name}>
          {name === 'dead' ? 'Dead letter' : name === 'retrying' ? 'Retrying' : 'Waiting'} for {found.destinationId}
        </State>
      );
    }
  }
  return deliveries.length === 0 ? null : <State name="delivered" />;
};

export default EventPage;
