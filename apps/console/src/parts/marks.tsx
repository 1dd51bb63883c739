import type { DeliverySummary } from '@clickrelay/client';
import { Icon } from './icon.tsx';
import { deliveryState, STATES } from './state.tsx';

/** The deliveries of an event at a glance: what is not delivered by name, what is delivered as a number. */
export const Marks = ({ deliveries }: { deliveries: readonly DeliverySummary[] }) => {
  if (deliveries.length === 0) return <span class="muted">nobody wants it</span>;
  const told = deliveries.map((one) => ({ id: one.destinationId, state: deliveryState(one.state, one.attempts) }));
  const delivered = told.filter(({ state }) => state === 'delivered').length;
  return (
    <span class="marks">
      {told
        .filter(({ state }) => state !== 'delivered')
        .map(({ id, state }) => (
          <span class={`mk ${STATES[state].tone}`} key={id}>
            <Icon name={STATES[state].icon} />
            <span>{id}</span>
            <span class="sr">: {STATES[state].word}</span>
          </span>
        ))}
      {delivered > 0 && (
        <span class="mk ok">
          <Icon name="ok" />
          <span>{delivered}</span>
          <span class="sr"> delivered</span>
        </span>
      )}
    </span>
  );
};
