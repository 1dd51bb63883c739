import type { DeadLetter, DeadLetterGroup } from '@clickrelay/client';
import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { useLoad } from '../load.ts';
import { CopyCall, commandOf } from '../parts/copy-call.tsx';
import { Icon } from '../parts/icon.tsx';
import { Empty, Failed, Skeleton } from '../parts/page-state.tsx';
import { type Chosen, ReplayPlan } from '../parts/replay-plan.tsx';
import { Table } from '../parts/table.tsx';
import { Time } from '../parts/time.tsx';
import { call, may } from '../session.ts';
import { ago } from '../time.ts';
import { withQuery } from '../url.ts';

const PAGE = 100;
const LOOK_MS = 10_000;

const sum = (groups: readonly DeadLetterGroup[]): number => groups.reduce((all, { count }) => all + count, 0);

/** One group for each destination and cause, so that one mended fault is one replay. */
const keyOf = ({ destinationId, kind }: Pick<DeadLetterGroup, 'destinationId' | 'kind'>): string =>
  `${destinationId} ${kind}`;

/** Send these again. */
const DeadLetters = () => {
  const { query, route, path } = useLocation();
  const { destination, kind } = query as { destination?: string; kind?: DeadLetterGroup['kind'] };
  const groups = useLoad(
    'groups',
    (signal) => call('GET /v1/dead-letters/groups', { query: { reveal: 'false' }, signal }),
    {
      everyMs: LOOK_MS,
    },
  );
  const list = useLoad(`${destination} ${kind}`, (signal) =>
    call('GET /v1/dead-letters', { query: { limit: PAGE, destination, kind, reveal: 'false' }, signal }),
  );
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const choose = (group: DeadLetterGroup | undefined): void => {
    setLeft(new Set());
    route(withQuery(path, query, { destination: group?.destinationId, kind: group?.kind }));
  };
  const all = groups.data?.groups ?? [];
  const shown = all.filter(
    (group) => (destination ?? group.destinationId) === group.destinationId && (kind ?? group.kind) === group.kind,
  );
  const chosen: Chosen = { destination, kind, except: [...left], count: Math.max(sum(shown) - left.size, 0) };
  const toggle = (id: string): void => {
    const next = new Set(left);
    if (!next.delete(id)) next.add(id);
    setLeft(next);
  };
  return (
    <>
      <div class="head">
        <div class="grow">
          <h1>Dead letters</h1>
          <p>Deliveries that ran out of attempts. Kept until somebody sends them again or removes them.</p>
        </div>
        <CopyCall
          path="/v1/dead-letters"
          query={{ destination, kind, limit: PAGE }}
          command={commandOf('dead-letters', { destination, kind })}
        />
      </div>
      <Failed loaded={groups} />
      {groups.data === undefined ? (
        groups.error === undefined && <Skeleton />
      ) : all.length === 0 ? (
        <section class="card">
          <Empty title="There is no dead letter" />
        </section>
      ) : (
        <div class="cols three">
          <Reasons groups={all} isChosen={(group) => keyOf(group) === `${destination} ${kind}`} onChoose={choose} />
          <section class="card">
            <Failed loaded={list} />
            <div class="bar">
              <span class="grow">
                <b>
                  {chosen.count.toLocaleString('en')} of {sum(shown).toLocaleString('en')} selected
                </b>
                {left.size > 0 && `, all that match but ${left.size}`}
              </span>
            </div>
            {list.data === undefined ? (
              <Skeleton />
            ) : (
              <DeadLetterTable items={list.data.items} isLeft={(id) => left.has(id)} onToggle={toggle} />
            )}
          </section>
          {may('replay') && <ReplayPlan key={JSON.stringify(chosen)} chosen={chosen} />}
        </div>
      )}
    </>
  );
};

interface ReasonsProps {
  readonly groups: readonly DeadLetterGroup[];
  readonly isChosen: (group: DeadLetterGroup) => boolean;
  /** Undefined: all of them. */
  readonly onChoose: (group: DeadLetterGroup | undefined) => void;
}

const Reasons = ({ groups, isChosen, onChoose }: ReasonsProps) => (
  <section aria-label="Why they failed">
    <h2>Why they failed</h2>
    <div class="stack reasons">
      <button class="reason" type="button" aria-pressed={!groups.some(isChosen)} onClick={() => onChoose(undefined)}>
        <Icon name="list" />
        <b>All</b>
        <span class="count">{sum(groups).toLocaleString('en')}</span>
      </button>
      {groups.map((group) => (
        <button
          key={`${keyOf(group)} ${group.errorCode} ${group.error}`}
          class="reason"
          type="button"
          aria-pressed={isChosen(group)}
          onClick={() => onChoose(group)}
        >
          <Icon name="dead" class="bad" />
          <span>
            <b>{group.error}</b>
            <small>
              {group.destinationId}, newest {ago(group.newest)}
            </small>
          </span>
          <span class="count">{group.count.toLocaleString('en')}</span>
        </button>
      ))}
    </div>
  </section>
);

interface DeadLetterTableProps {
  readonly items: readonly DeadLetter[];
  /** Whether it is left out of the selection. */
  readonly isLeft: (deliveryId: string) => boolean;
  readonly onToggle: (deliveryId: string) => void;
}

const DeadLetterTable = ({ items, isLeft, onToggle }: DeadLetterTableProps) => (
  <Table
    name="List of dead letters"
    rows={items}
    keyOf={({ deliveryId }) => deliveryId}
    isSelected={({ deliveryId }) => !isLeft(deliveryId)}
    columns={[
      {
        head: <span class="sr">Select</span>,
        cell: ({ deliveryId }) => (
          <input
            type="checkbox"
            aria-label={`Select ${deliveryId}`}
            checked={!isLeft(deliveryId)}
            onChange={() => onToggle(deliveryId)}
          />
        ),
      },
      { head: 'Gave up', cell: ({ failedAt }) => <Time at={failedAt} millis={false} /> },
      { head: 'Event', cell: ({ eventId, eventType }) => <a href={`/events/${eventId}`}>{eventType}</a> },
      { head: 'Destination', cell: ({ destinationId }) => destinationId },
      {
        head: 'Came in',
        cell: ({ receivedAt }) => (receivedAt === null ? '—' : <Time at={receivedAt} millis={false} />),
      },
      { head: 'Answer', class: 'mono bad', cell: ({ status, errorCode }) => status ?? errorCode ?? '—' },
    ]}
  />
);

export default DeadLetters;
