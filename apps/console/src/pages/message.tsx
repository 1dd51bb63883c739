import type { Message, MessageStatus } from '@clickrelay/client';
import { useRoute } from 'preact-iso/router';
import { summaryOf, titleOf } from '../event-words.ts';
import { useLoad } from '../load.ts';
import { Copy } from '../parts/copy.tsx';
import { Icon } from '../parts/icon.tsx';
import { Empty, Failed, Skeleton } from '../parts/page-state.tsx';
import { State, type StateName } from '../parts/state.tsx';
import { Time } from '../parts/time.tsx';
import { call } from '../session.ts';
import { clockTime, zoneName } from '../time.ts';

/** While its last status is not final it is looked at again this often, in ms. */
const LOOK_MS = 5_000;

/** Did message X arrive? */
const MessagePage = () => {
  const { id = '' } = useRoute().params;
  const loaded = useLoad(
    id,
    (signal) => call('GET /v1/messages/{messageId}', { path: { messageId: id }, query: { reveal: 'false' }, signal }),
    { everyMs: LOOK_MS },
  );
  const message = loaded.data;
  return (
    <>
      <div class="head">
        <div class="grow">
          <h1 class="title">{message === undefined ? 'Message' : verdictOf(message)}</h1>
          <p class="mono id">
            {id}
            <Copy text={id} label="message id" />
          </p>
          {message?.clientMessageId != null && (
            <p>
              Your own id: <span class="mono">{message.clientMessageId}</span>
            </p>
          )}
        </div>
        {message !== undefined && <Copy text={ticketOf(message)} label="summary for a ticket" />}
      </div>
      <Failed loaded={loaded} />
      {message === undefined ? (
        loaded.error === undefined && <Skeleton />
      ) : (
        <>
          <section class="card">
            <Stages message={message} />
          </section>
          <div class="cols even">
            <Statuses message={message} />
            <Around message={message} />
          </div>
        </>
      )}
    </>
  );
};

/** One sentence, as a person would say it. */
const verdictOf = ({ current, received }: Message): string => {
  if (current === null)
    return received.length > 0 ? 'A message from a customer' : 'No status has come for this message';
  switch (current.class) {
    case 'read':
      return 'The message was read';
    case 'delivered':
      return 'The message reached the phone';
    case 'failed':
      return `The message failed: ${current.name ?? `code ${current.code}`}`;
    case 'pending':
      return 'The message is on its way';
    case 'unknown':
      return `The last status is ${current.name ?? `code ${current.code}`}`;
  }
};

const STAGES = [
  { name: 'On its way', classes: ['pending', 'delivered', 'read'] },
  { name: 'Delivered', classes: ['delivered', 'read'] },
  { name: 'Read', classes: ['read'] },
] as const;

const Stages = ({ message: { statuses, current } }: { message: Message }) => {
  const failed = current?.class === 'failed';
  const first = (classes: readonly string[]): MessageStatus | undefined =>
    statuses.find((status) => classes.includes(status.class));
  return (
    <ol class={`stages ${failed ? 'failed' : ''}`}>
      {STAGES.map(({ name, classes }) => {
        const status = statuses.find((one) => one.class === classes[0]) ?? first(classes);
        return (
          <li key={name} class={status === undefined ? 'todo' : ''}>
            <Icon name={status === undefined ? 'wait' : 'ok'} class={status === undefined ? 'idle' : 'ok'} />
            <b>{name}</b>
            <span class="muted small">{status === undefined ? 'not told' : timeOf(status)}</span>
          </li>
        );
      })}
      {failed && (
        <li>
          <Icon name="dead" class="bad" />
          <b>{current.name ?? 'Failed'}</b>
          <span class="muted small">{timeOf(current)}</span>
        </li>
      )}
    </ol>
  );
};

const timeOf = ({ occurredAt, receivedAt }: MessageStatus): string =>
  clockTime(occurredAt ?? receivedAt, { millis: false });

const TONES: Readonly<Record<MessageStatus['class'], StateName>> = {
  pending: 'waiting',
  delivered: 'delivered',
  read: 'delivered',
  failed: 'dead',
  unknown: 'unknown',
};

const Statuses = ({ message: { statuses, statusCount } }: { message: Message }) => (
  <section class="card">
    <header>
      <h2>Statuses</h2>
      <span class="count">{statusCount}</span>
      <span class="grow" />
      <span class="muted small">in the order in which they happened, {zoneName()}</span>
    </header>
    {statuses.length === 0 ? (
      <Empty title="No status has come yet" />
    ) : (
      <section class="scroll" tabIndex={0} aria-label="List of statuses">
        <table>
          <thead>
            <tr>
              <th scope="col">Happened</th>
              <th scope="col">Status</th>
              <th scope="col">Received</th>
            </tr>
          </thead>
          <tbody>
            {statuses.map((status) => (
              <tr key={status.id}>
                <td>{status.occurredAt === null ? '—' : <Time at={status.occurredAt} />}</td>
                <td>
                  <State name={TONES[status.class]}>{status.name ?? `code ${status.code}`}</State>
                  {status.final && <span class="tag">final</span>}
                </td>
                <td>
                  <a class="plain" href={`/events/${status.id}`}>
                    <Time at={status.receivedAt} />
                  </a>{' '}
                  {status.late && (
                    <span class="tag warn">
                      <Icon name="late" />
                      late
                    </span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    )}
  </section>
);

const Around = ({ message: { received, replies, replyCount } }: { message: Message }) => (
  <section class="card">
    <header>
      <h2>Around it</h2>
      <span class="count">{received.length + replyCount}</span>
    </header>
    {received.length + replies.length === 0 ? (
      <Empty title="Nobody has answered it" />
    ) : (
      <ul>
        {[...received, ...replies].map((event) => (
          <li class="notice" key={event.id}>
            <a href={`/events/${event.id}`}>
              <Time at={event.receivedAt} />
            </a>
            <span>
              {titleOf(event)}: {summaryOf(event)}
            </span>
          </li>
        ))}
      </ul>
    )}
  </section>
);

/** What somebody pastes into a ticket: nothing personal in it. */
const ticketOf = (message: Message): string =>
  [
    `Message ${message.messageId}: ${verdictOf(message)}`,
    ...message.statuses.map(
      ({ occurredAt, receivedAt, name, code, late }) =>
        `${occurredAt ?? receivedAt}  ${name ?? code}${late ? `  (late: received ${receivedAt})` : ''}`,
    ),
  ].join('\n');

export default MessagePage;
