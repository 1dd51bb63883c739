import type { ListedDelivery } from '@clickrelay/client';
import { useEffect, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { useLoad } from '../load.ts';
import { CopyCall, commandOf } from '../parts/copy-call.tsx';
import { DeliveryTable } from '../parts/delivery-table.tsx';
import { say } from '../parts/live-region.tsx';
import { Outcomes } from '../parts/outcomes.tsx';
import { Empty, Failed, Skeleton } from '../parts/page-state.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { call } from '../session.ts';
import { withQuery } from '../url.ts';
import { wordsOf } from '../words.ts';

const PAGE = 100;
const LOOK_MS = 5_000;
/** The API searches for two seconds at a time: an empty answer with a `next` is asked again so often. */
const MOST_SEARCHES = 5;

const OUTCOMES = [
  { state: undefined, name: 'All' },
  { state: 'pending', name: 'Undelivered' },
  { state: 'dead_letter', name: 'Dead letters' },
  { state: 'delivered', name: 'Delivered' },
] as const;

const SPANS = [
  { hours: '', name: 'any time' },
  { hours: '1', name: 'the last hour' },
  { hours: '24', name: 'the last 24 hours' },
  { hours: '168', name: 'the last 7 days' },
] as const;

interface Filter {
  readonly destination?: string;
  readonly state?: ListedDelivery['state'];
  readonly error?: string;
  /** Of the last so many hours. */
  readonly hours?: string;
}

/** What one destination is still to get is told by its queue, in the order of the next attempts. */
const queryOf = ({ destination, state, error, hours }: Filter) => {
  if (state === 'pending' && destination !== undefined && error === undefined && hours === undefined) {
    return { destination, order: 'next' } as const;
  }
  const since = hours === undefined ? undefined : new Date(Date.now() - Number(hours) * 3_600_000).toISOString();
  return { destination, state, error, since } as const;
};

const search = async (filter: Filter, from: string | null, signal?: AbortSignal) => {
  const items: ListedDelivery[] = [];
  let cursor = from;
  for (let turn = 0; turn < MOST_SEARCHES; turn++) {
    const query = {
      ...queryOf(filter),
      limit: PAGE - items.length,
      reveal: 'false',
      ...(cursor && { cursor }),
    } as const;
    const page = await call('GET /v1/deliveries', { query, ...(signal && { signal }) });
    items.push(...page.items);
    cursor = page.next;
    if (cursor === null || items.length >= PAGE) break;
  }
  return { items, next: cursor };
};

/** What waits, what failed, and when is it tried again? The address holds the filters. */
const Deliveries = () => {
  const { query, route, path } = useLocation();
  const filter: Filter = Object.fromEntries(
    (['destination', 'state', 'error', 'hours'] as const).flatMap((name) => (query[name] ? [[name, query[name]]] : [])),
  );
  const key = JSON.stringify(filter);
  const figures = useLoad('overview', (signal) => call('GET /v1/overview', { signal }), { everyMs: LOOK_MS });
  const hours = useLoad('hours', (signal) => call('GET /v1/hours', { query: { hours: 24 }, signal }), {
    everyMs: 60_000,
  });
  const list = useLoad(key, (signal) => search(filter, null, signal), { everyMs: LOOK_MS });
  const [more, setMore] = useState<Awaited<ReturnType<typeof search>>>();
  useEffect(() => setMore(undefined), [key]);
  const go = (changes: Partial<Record<keyof Filter, string | undefined>>): void =>
    route(withQuery(path, query, changes));
  const next = more === undefined ? (list.data?.next ?? null) : more.next;
  const showMore = async (): Promise<void> => {
    try {
      const page = await search(filter, next);
      setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next });
    } catch (error) {
      say(wordsOf(error));
    }
  };
  const { destination, state, hours: span } = filter;
  const destinations = figures.data?.destinations ?? [];
  const shownHours = hours.data?.destinations.find(({ id }) => id === destination)?.items ?? hours.data?.items;
  const age = span === undefined ? undefined : `${span}h`;
  return (
    <>
      <div class="head">
        <div class="grow">
          <h1>Deliveries</h1>
          <p>Each event to each destination that wants it: what waits, what failed, and when it is tried again.</p>
        </div>
        <CopyCall
          path="/v1/deliveries"
          query={{ ...queryOf(filter), limit: PAGE }}
          command={commandOf('deliveries', { destination, state, since: age })}
        />
      </div>
      <div class="cols even">
        <section class="card">
          <header>
            <h2>What waits</h2>
          </header>
          <Failed loaded={figures} />
          {figures.data === undefined ? (
            figures.error === undefined && <Skeleton rows={3} />
          ) : destinations.length === 0 ? (
            <Empty title="There is no destination yet" />
          ) : (
            <Waiting
              title="What waits for each destination"
              queues={destinations.map(({ id, waiting, oldestAt }) => ({
                id,
                waiting,
                oldestAt,
                name: <a href={withQuery(path, {}, { destination: id, state: 'pending' })}>{id}</a>,
              }))}
            />
          )}
        </section>
        <Outcomes hours={shownHours} of={destination} loaded={hours} />
      </div>
      <section class="card">
        <Filters filter={filter} destinations={destinations.map(({ id }) => id)} onChange={go} />
        <Failed loaded={list} />
        <List
          deliveries={list.data && [...list.data.items, ...(more?.items ?? [])]}
          filter={filter}
          isFailed={list.error !== undefined}
        />
        {next !== null && (
          <div class="empty">
            <button class="btn" type="button" onClick={showMore}>
              Look further
            </button>
          </div>
        )}
      </section>
    </>
  );
};

interface FiltersProps {
  readonly filter: Filter;
  /** Their ids. */
  readonly destinations: readonly string[];
  readonly onChange: (changes: Partial<Record<keyof Filter, string | undefined>>) => void;
}

const Filters = ({ filter, destinations, onChange }: FiltersProps) => {
  const { destination, state, error, hours: span } = filter;
  return (
    <form class="filters chips" onSubmit={(event) => event.preventDefault()}>
      {OUTCOMES.map(({ state: one, name }) => (
        <button
          key={name}
          class="btn s"
          type="button"
          aria-pressed={state === one}
          onClick={() => onChange({ state: one })}
        >
          {name}
        </button>
      ))}
      <label class="chip">
        <span>Destination</span>
        <select
          value={destination ?? ''}
          onChange={({ currentTarget }) => onChange({ destination: currentTarget.value })}
        >
          <option value="">all</option>
          {destinations.map((id) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
        </select>
      </label>
      <label class="chip">
        <span>Received</span>
        <select value={span ?? ''} onChange={({ currentTarget }) => onChange({ hours: currentTarget.value })}>
          {SPANS.map(({ hours: one, name }) => (
            <option key={one} value={one}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="chip">
        <span>Cause</span>
        <input
          value={error ?? ''}
          placeholder="destination_timeout"
          pattern="[a-z0-9_]*"
          size={18}
          onChange={({ currentTarget }) => onChange({ error: currentTarget.value.trim() })}
        />
      </label>
      <span class="grow" />
      <span class="muted small">
        {'order' in queryOf(filter) ? 'those that are due first' : 'the newest events first'}
      </span>
    </form>
  );
};

interface ListProps {
  readonly deliveries: readonly ListedDelivery[] | undefined;
  readonly filter: Filter;
  readonly isFailed: boolean;
}

const List = ({ deliveries, filter, isFailed }: ListProps) => {
  if (deliveries === undefined) return isFailed ? null : <Skeleton rows={12} />;
  if (deliveries.length > 0) return <DeliveryTable deliveries={deliveries} ofSeveral />;
  if (Object.keys(filter).length === 0) {
    return (
      <Empty title="Nothing was to be delivered yet">
        <p>An event comes in, and each destination that wants it gets a delivery.</p>
        <a class="btn" href="/setup">
          Set-up
        </a>
      </Empty>
    );
  }
  return (
    <Empty title={filter.state === 'pending' ? 'Nothing waits' : 'No delivery fits these filters'}>
      <a class="btn" href="/deliveries">
        Clear filters
      </a>
    </Empty>
  );
};

export default Deliveries;
