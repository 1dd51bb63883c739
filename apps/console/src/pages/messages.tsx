import type { ListedEvent } from '@clickrelay/client';
import { summaryOf, titleOf } from '../event-words.ts';
import { useLoad } from '../load.ts';
import { CopyCall, commandOf } from '../parts/copy-call.tsx';
import { shortId } from '../parts/event-table.tsx';
import { ListCard } from '../parts/page-state.tsx';
import { Table } from '../parts/table.tsx';
import { Time } from '../parts/time.tsx';
import { call } from '../session.ts';

const LOOK_MS = 5_000;
/** So many of the newest events are looked through. */
const EVENTS = 200;

interface Message {
  readonly id: string;
  readonly newest: ListedEvent;
  readonly count: number;
}

/** The messages of some events, the one about which something came last first. */
const messagesOf = (events: readonly ListedEvent[]): Message[] => {
  const byMessage = Map.groupBy(
    events.filter(({ messageId }) => messageId !== null),
    ({ messageId }) => messageId ?? '',
  );
  return [...byMessage].flatMap(([id, [newest, ...others]]) =>
    newest === undefined ? [] : [{ id, newest, count: 1 + others.length }],
  );
};

/** Which messages did something come about lately? One by its id is found in the search box. */
const Messages = () => {
  const query = { limit: EVENTS, reveal: 'false' } as const;
  const loaded = useLoad(
    'messages',
    async (signal) => ({ items: messagesOf((await call('GET /v1/events', { query, signal })).items) }),
    { everyMs: LOOK_MS },
  );
  return (
    <>
      <div class="head">
        <div class="grow">
          <h1>Messages</h1>
          <p>Those about which something came last. Any other is found above by its id, your own id, or the number.</p>
        </div>
        <CopyCall path="/v1/events" query={query} command={commandOf('events', { limit: String(EVENTS) })} />
      </div>
      <ListCard loaded={loaded} empty="Nothing has come in yet">
        {(items) => (
          <Table
            name="List of messages"
            rows={items}
            keyOf={({ id }) => id}
            columns={[
              { head: 'Last heard', cell: ({ newest }) => <Time at={newest.receivedAt} /> },
              {
                head: 'Message',
                class: 'mono',
                cell: ({ id }) => <a href={`/messages/${encodeURIComponent(id)}`}>{shortId(id)}</a>,
              },
              { head: 'Channel', cell: ({ newest }) => newest.channel ?? '—' },
              { head: 'Last event', cell: ({ newest }) => titleOf(newest) },
              { head: 'What', cell: ({ newest }) => summaryOf(newest) },
              { head: 'Events', num: true, cell: ({ count }) => count },
            ]}
          />
        )}
      </ListCard>
    </>
  );
};

export default Messages;
