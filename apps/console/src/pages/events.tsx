import type { ListedEvent } from '@clickrelay/client';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { arrived, listen } from '../live.ts';
import { useLoad } from '../load.ts';
import { CopyCall, commandOf } from '../parts/copy-call.tsx';
import { EventFacts } from '../parts/event-facts.tsx';
import { EventTable } from '../parts/event-table.tsx';
import { Icon } from '../parts/icon.tsx';
import { Empty, Failed, Skeleton } from '../parts/page-state.tsx';
import { call } from '../session.ts';
import { zoneName } from '../time.ts';
import { withQuery } from '../url.ts';

const PAGE = 100;
/** While events come in, the list is read at most this often, in ms. */
const READ_EVERY_MS = 1_000;

const FILTERS = [
  { name: 'type', label: 'Type', placeholder: 'mo*, moText' },
  { name: 'channel', label: 'Channel', placeholder: 'whatsapp' },
] as const;

/** What came in just now? The URL holds filters and selection. */
const Events = () => {
  const { query, route, path } = useLocation();
  const { type, channel, class: statusClass, party, since, until, at: selected } = query;
  const [older, setOlder] = useState<readonly ListedEvent[]>([]);
  const [olderCursor, setOlderCursor] = useState<string | null>();
  const [isHeld, setHeld] = useState(false);
  const isTail = until === undefined && selected === undefined && !isHeld && older.length === 0;
  const filter = { type, channel, class: statusClass as 'read' | undefined, party, since, until };
  const key = JSON.stringify(filter);
  const list = useLoad(key, (signal) =>
    call('GET /v1/events', {
      query: { ...filter, limit: PAGE, include: 'deliveries', count: 'estimate', reveal: 'false' },
      signal,
    }),
  );
  // Other filters begin another list.
  useEffect(() => {
    setOlder([]);
    setOlderCursor(undefined);
  }, [key]);
  const newer = useTail(isTail, list.reload);
  const go = (changes: Record<string, string | undefined>): void => route(withQuery(path, query, changes));
  const showOlder = async (): Promise<void> => {
    const cursor = olderCursor === undefined ? list.data?.next : olderCursor;
    if (cursor == null) return;
    const page = await call('GET /v1/events', {
      query: { ...filter, limit: PAGE, include: 'deliveries', reveal: 'false', cursor },
    });
    setOlder((before) => [...before, ...page.items]);
    setOlderCursor(page.next);
  };
  /** The focus goes back to the row. */
  const closeBeside = (): void => {
    document.querySelector<HTMLElement>('tr[aria-selected="true"] a')?.focus();
    go({ at: undefined });
  };
  const resume = (): void => {
    setHeld(false);
    setOlder([]);
    setOlderCursor(undefined);
    go({ at: undefined, until: undefined });
    list.reload();
  };
  const events = [...(list.data?.items ?? []), ...older];
  const next = olderCursor === undefined ? (list.data?.next ?? null) : olderCursor;
  const count = list.data?.count;
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  return (
    <>
      <Head filter={filter} />
      <form
        class="chips toolbar"
        onSubmit={(event) => {
          event.preventDefault();
          const given = new FormData(event.currentTarget);
          go({ type: textOf(given, 'type'), channel: textOf(given, 'channel'), at: undefined });
        }}
      >
        {FILTERS.map(({ name, label, placeholder }) => (
          <label class="chip" key={name}>
            <span>{label}</span>
            <input name={name} value={query[name] ?? ''} placeholder={placeholder} size={16} />
          </label>
        ))}
        <button class="btn s" type="submit">
          Filter
        </button>
        {isFiltered && (
          <a class="btn s quiet" href="/events">
            Clear
          </a>
        )}
        <span class="grow" />
        {count !== undefined && (
          <span class="muted small">
            {count.exact ? '' : 'about '}
            {count.events.toLocaleString('en')} events
          </span>
        )}
        <button
          class="btn s"
          type="button"
          aria-keyshortcuts="."
          aria-pressed={!isTail}
          onClick={() => (isTail ? setHeld(true) : resume())}
        >
          <Icon name={isTail ? 'pause' : 'right'} />
          {isTail ? 'Live' : newer === 0 ? 'Paused. Resume' : `Paused: ${newer} newer. Resume`}
        </button>
      </form>
      <div class={selected === undefined ? 'cols' : 'cols side-panel'}>
        <section class="card">
          <Failed loaded={list} />
          {list.data === undefined ? (
            list.error === undefined && <Skeleton rows={12} />
          ) : events.length === 0 ? (
            <NoEvents isFiltered={isFiltered} />
          ) : (
            <EventTable events={events} selected={selected} total={count?.events} onSelect={(id) => go({ at: id })} />
          )}
          {next !== null && (
            <div class="empty">
              <button class="btn" type="button" onClick={showOlder}>
                Show older
              </button>
            </div>
          )}
        </section>
        {selected !== undefined && <Beside id={selected} onClose={closeBeside} />}
      </div>
    </>
  );
};

type Filter = Readonly<Record<'type' | 'channel' | 'class' | 'party' | 'since' | 'until', string | undefined>>;

const Head = ({ filter }: { filter: Filter }) => {
  const { type, party, since, until } = filter;
  return (
    <div class="head">
      <div class="grow">
        <h1>{party === undefined ? 'Events' : 'Events of one person'}</h1>
        <p>What came in, newest first. Times are {zoneName()}.</p>
      </div>
      <CopyCall
        path="/v1/events"
        query={{ ...filter, limit: PAGE, include: 'deliveries' }}
        command={commandOf('events', { type, party, since, until })}
      />
    </div>
  );
};

const textOf = (given: FormData, name: string): string | undefined => String(given.get(name) ?? '').trim() || undefined;

/** Reads anew when events come in. @returns how many came in since the tail was paused */
const useTail = (isTail: boolean, reload: () => void): number => {
  const seen = useRef(arrived.value);
  const latest = useRef(reload);
  latest.current = reload;
  useEffect(() => listen(), []);
  useEffect(() => {
    if (!isTail) return;
    const timer = setInterval(() => {
      if (arrived.value === seen.current) return;
      seen.current = arrived.value;
      latest.current();
    }, READ_EVERY_MS);
    return () => clearInterval(timer);
  }, [isTail]);
  return isTail ? 0 : arrived.value - seen.current;
};

const NoEvents = ({ isFiltered }: { isFiltered: boolean }) =>
  isFiltered ? (
    <Empty title="No event fits these filters">
      <a class="btn" href="/events">
        Clear filters
      </a>
    </Empty>
  ) : (
    <Empty title="Nothing has come in yet">
      <p>Enter the callback URLs in Clickatell's portal, or try it with: clickrelay send moText</p>
    </Empty>
  );

/** The selected event, beside the list, so that the list keeps its place. */
const Beside = ({ id, onClose }: { id: string; onClose: () => void }) => {
  const event = useLoad(id, (signal) =>
    call('GET /v1/events/{id}', { path: { id }, query: { reveal: 'false' }, signal }),
  );
  useEffect(() => {
    const onKey = ({ key }: KeyboardEvent): void => {
      if (key === 'Escape') onClose();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
  return (
    <aside class="card" aria-label="Selected event">
      <header>
        <h2 class="grow">Event</h2>
        <a class="btn s" href={`/events/${id}`}>
          Open
        </a>
        <button class="btn s icon quiet" type="button" aria-label="Close" onClick={onClose}>
          <Icon name="x" />
        </button>
      </header>
      <Failed loaded={event} />
      {event.data === undefined ? (
        <Skeleton />
      ) : (
        <div class="body">
          <EventFacts event={event.data} />
        </div>
      )}
    </aside>
  );
};

export default Events;
