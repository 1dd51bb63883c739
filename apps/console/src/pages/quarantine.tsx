import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { useLoad } from '../load.ts';
import { Icon } from '../parts/icon.tsx';
import { Empty, Failed, Skeleton } from '../parts/page-state.tsx';
import { QuarantinePlan } from '../parts/quarantine-plan.tsx';
import { Time } from '../parts/time.tsx';
import { call, may } from '../session.ts';
import { withQuery } from '../url.ts';

const PAGE = 500;
const LOOK_MS = 10_000;

type Page = Awaited<ReturnType<typeof read>>;
type Item = Page['items'][number];

const read = (signal: AbortSignal) => call('GET /v1/quarantine', { query: { limit: PAGE }, signal });

/** What could not be read? */
const Quarantine = () => {
  const { query, route, path } = useLocation();
  const { reason } = query as { reason?: string };
  const loaded = useLoad('quarantine', read, { everyMs: LOOK_MS });
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const choose = (chosen: string | undefined): void => {
    setLeft(new Set());
    route(withQuery(path, query, { reason: chosen }));
  };
  const toggle = (id: string): void => {
    const next = new Set(left);
    if (!next.delete(id)) next.add(id);
    setLeft(next);
  };
  const items = loaded.data?.items ?? [];
  const shown = items.filter((item) => reason === undefined || item.reason === reason);
  const chosen = { reason, except: [...left] };
  return (
    <>
      <div class="head">
        <div class="grow">
          <h1>Quarantine</h1>
          <p>Callbacks with the right credential that could not be read. Kept whole until somebody decides.</p>
        </div>
      </div>
      {loaded.data === undefined || items.length === 0 ? (
        <section class="card">
          <Failed loaded={loaded} />
          {loaded.data !== undefined ? (
            <Empty title="Every callback could be read" />
          ) : (
            loaded.error === undefined && <Skeleton />
          )}
        </section>
      ) : (
        <div class="cols three">
          <Reasons items={items} reason={reason} isMore={loaded.data.next !== null} onChoose={choose} />
          <section class="card">
            <Failed loaded={loaded} />
            <div class="bar">
              <span class="grow">
                <b>
                  {left.size === 0 ? 'All that match are selected' : `All that match but ${left.size} are selected`}
                </b>
              </span>
            </div>
            <List items={shown} isLeft={(id) => left.has(id)} onToggle={toggle} />
          </section>
          {may('admin') && <QuarantinePlan key={JSON.stringify(chosen)} chosen={chosen} onChange={loaded.reload} />}
        </div>
      )}
    </>
  );
};

interface ReasonsProps {
  readonly items: readonly Item[];
  readonly reason: string | undefined;
  /** Whether there are more than these. */
  readonly isMore: boolean;
  /** Undefined: all of them. */
  readonly onChoose: (reason: string | undefined) => void;
}

const Reasons = ({ items, reason, isMore, onChoose }: ReasonsProps) => {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item.reason, (counts.get(item.reason) ?? 0) + 1);
  const told = (count: number): string => `${count.toLocaleString('en')}${isMore ? '+' : ''}`;
  return (
    <section aria-label="Why they could not be read">
      <h2>Why</h2>
      <div class="stack reasons">
        <button class="reason" type="button" aria-pressed={reason === undefined} onClick={() => onChoose(undefined)}>
          <Icon name="list" />
          <b>All</b>
          <span class="count">{told(items.length)}</span>
        </button>
        {[...counts].map(([one, count]) => (
          <button key={one} class="reason" type="button" aria-pressed={reason === one} onClick={() => onChoose(one)}>
            <Icon name="quar" class="warn" />
            <b>{one}</b>
            <span class="count">{told(count)}</span>
          </button>
        ))}
      </div>
    </section>
  );
};

interface ListProps {
  readonly items: readonly Item[];
  readonly isLeft: (id: string) => boolean;
  readonly onToggle: (id: string) => void;
}

const List = ({ items, isLeft, onToggle }: ListProps) => (
  <section class="scroll" tabIndex={0} aria-label="List of quarantined callbacks">
    <table>
      <thead>
        <tr>
          <th scope="col">
            <span class="sr">Select</span>
          </th>
          <th scope="col">Received</th>
          <th scope="col">Why it could not be read</th>
          <th scope="col" class="num">
            Bytes
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map(({ id, receivedAt, reason, bytes }) => (
          <tr key={id} aria-selected={!isLeft(id)}>
            <td>
              <input type="checkbox" aria-label={`Select ${id}`} checked={!isLeft(id)} onChange={() => onToggle(id)} />
            </td>
            <td>
              <a href={`/quarantine/${id}`}>
                <Time at={receivedAt} />
              </a>
            </td>
            <td>{reason}</td>
            <td class="num">{bytes.toLocaleString('en')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);

export default Quarantine;
