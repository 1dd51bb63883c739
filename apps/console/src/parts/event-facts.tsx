import type { Event } from '@clickrelay/client';
import type { ComponentChildren } from 'preact';
import { summaryOf } from '../event-words.ts';
import { Copy } from './copy.tsx';
import { shortId } from './event-table.tsx';
import { Time } from './time.tsx';

const MessageLink = ({ id }: { id: string }) => (
  <>
    <a class="mono" href={`/messages/${encodeURIComponent(id)}`}>
      {shortId(id)}
    </a>
    <Copy text={id} label="message id" />
  </>
);

/** What an event is, as names and values. What is hidden was hidden by the server. */
export const EventFacts = ({ event }: { event: Event }) => {
  const { data } = event;
  const facts: [string, ComponentChildren][] = [
    ['Type', event.type],
    ['Channel', event.channel],
    ['What', summaryOf(event)],
    ['Text', typeof data['text'] === 'string' ? <span class="masked">{data['text']}</span> : null],
    ['From', event.from === null ? null : <span class="mono masked">{event.from}</span>],
    ['To', event.to === null ? null : <span class="mono masked">{event.to}</span>],
    ['Message', event.messageId === null ? null : <MessageLink id={event.messageId} />],
    ['Answers', event.relatedMessageId === null ? null : <MessageLink id={event.relatedMessageId} />],
    ['Your id', event.clientMessageId],
    ['Integration', event.integrationName ?? event.integrationId],
    ['Occurred', event.occurredAt === null ? null : <Time at={event.occurredAt} />],
    ['Received', <Time key="received" at={event.receivedAt} />],
  ];
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== null && value !== '')
        .map(([name, value]) => (
          <>
            <dt key={`${name}-name`}>{name}</dt>
            <dd key={name}>{value}</dd>
          </>
        ))}
    </dl>
  );
};
