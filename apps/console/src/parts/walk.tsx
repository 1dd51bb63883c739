import type { CallbackOfEvent, Delivery, EventWithDeliveries } from '@clickrelay/client';
import type { ComponentChildren } from 'preact';
import { clockTime, duration, now } from '../time.ts';
import { Attempts } from './attempts.tsx';
import { Icon } from './icon.tsx';
import { deliveryState, STATES, State } from './state.tsx';

interface StepProps {
  readonly time: string;
  readonly icon: string;
  readonly tone?: string;
  readonly title: ComponentChildren;
  readonly children?: ComponentChildren;
}

const Step = ({ time, icon, tone = '', title, children }: StepProps) => (
  <li>
    <time>{time}</time>
    <span class={`dot ${tone}`}>
      <Icon name={icon} />
    </span>
    <div>
      <h3>{title}</h3>
      {children}
    </div>
  </li>
);

/** Callback, event, deliveries, attempts, and what comes next: in the order in which it happened. */
export const Walk = ({ event }: { event: EventWithDeliveries }) => {
  const { deliveries, callback, unwanted, repeats } = event;
  const inOrder = [...deliveries].sort((a, b) => endOf(a).localeCompare(endOf(b)));
  return (
    <ol class="walk">
      <Step time={clockTime(event.receivedAt)} icon="in" title="Callback received">
        <p>{callback === null ? 'What came with it is not known any more.' : callbackWords(callback)}</p>
      </Step>
      <Step
        time=""
        icon="split"
        title={
          <>
            {deliveries.length === 0
              ? 'An event that nobody wants'
              : `An event for ${count(deliveries.length, 'destination')}`}
            {repeats.count > 0 && <span class="tag">{count(repeats.count, 'repeat')} dropped</span>}
          </>
        }
      >
        <p>
          {event.type} {event.valid === false ? 'does not fit its type; it is routed all the same.' : 'fits its type.'}
        </p>
        {unwanted.map(({ destinationId, detail }) => (
          <p key={destinationId}>
            Not for <a href={`/destinations/${destinationId}`}>{destinationId}</a>: {detail}
          </p>
        ))}
      </Step>
      {inOrder.map((delivery) => (
        <DeliveryStep key={delivery.id} delivery={delivery} receivedAt={event.receivedAt} />
      ))}
    </ol>
  );
};

const count = (number: number, word: string): string =>
  `${number.toLocaleString('en')} ${word}${number === 1 ? '' : 's'}`;

const callbackWords = ({ lane, size, committedTogether, elements }: CallbackOfEvent): string => {
  const words = [
    `Lane ${lane}`,
    ...(size === null ? [] : [`${size.toLocaleString('en')} bytes`]),
    ...(elements === null || elements === 1 ? [] : [`with ${count(elements - 1, 'other element')}`]),
    ...(committedTogether === null || committedTogether === 1
      ? []
      : [`written with ${count(committedTogether - 1, 'other callback')}`]),
  ];
  return `${words.join(', ')}. On disk before it was answered.`;
};

const endOf = ({ attempts, nextAttemptAt }: Delivery): string => attempts.at(-1)?.startedAt ?? nextAttemptAt ?? '~';

const DeliveryStep = ({ delivery, receivedAt }: { delivery: Delivery; receivedAt: string }) => {
  const { destinationId, state, attempts, nextAttemptAt } = delivery;
  const name = deliveryState(state, attempts.length);
  const last = attempts.at(-1);
  const time =
    last === undefined ? 'now' : `+ ${duration(Date.parse(last.startedAt) + last.durationMs - Date.parse(receivedAt))}`;
  return (
    <Step
      time={time}
      icon={STATES[name].icon}
      tone={STATES[name].tone}
      title={
        <>
          <a href={`/destinations/${destinationId}`}>{destinationId}</a>
          <State name={name} />
        </>
      }
    >
      <p>{deliveryWords(delivery)}</p>
      {nextAttemptAt !== null && (
        <p>
          Next attempt at <span class="mono">{clockTime(nextAttemptAt, { millis: false })}</span>
          {Date.parse(nextAttemptAt) > now.value && `, in ${duration(Date.parse(nextAttemptAt) - now.value)}`}
        </p>
      )}
      {attempts.length > 0 && (state !== 'delivered' || attempts.length > 1) && <Attempts attempts={attempts} />}
    </Step>
  );
};

const deliveryWords = ({ state, attempts }: Delivery): string => {
  const last = attempts.at(-1);
  if (last === undefined) return 'Not tried yet.';
  if (state === 'delivered') {
    const answered = last.status === null ? 'Acknowledged' : `Answered ${last.status}`;
    return `${answered} in ${duration(last.durationMs)}, attempt ${last.number}`;
  }
  const failed = attempts.filter(({ outcome }) => outcome !== 'delivered').length;
  return state === 'dead_letter'
    ? `Failed ${count(failed, 'time')}; kept until somebody replays or removes it.`
    : `Failed ${count(failed, 'time')}.`;
};
