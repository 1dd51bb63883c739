import type { ListedDelivery } from '@clickrelay/client';
import { duration, now } from '../time.ts';
import { deliveryState, State } from './state.tsx';
import { Time } from './time.tsx';

/** Deliveries: where each stands, and why. */
export const DeliveryTable = ({ deliveries }: { deliveries: readonly ListedDelivery[] }) => (
  <section class="scroll" tabIndex={0} aria-label="List of deliveries">
    <table>
      <thead>
        <tr>
          <th scope="col">Received</th>
          <th scope="col">Event</th>
          <th scope="col">State</th>
          <th scope="col" class="num">
            Attempts
          </th>
          <th scope="col">Last answer</th>
          <th scope="col">Next attempt</th>
        </tr>
      </thead>
      <tbody>
        {deliveries.map(
          ({ id, eventId, eventType, receivedAt, state, attempts, status, errorCode, error, nextAttemptAt }) => (
            <tr key={id}>
              <td>
                <a class="plain" href={`/events/${eventId}`}>
                  {receivedAt === null ? 'no longer known' : <Time at={receivedAt} />}
                </a>
              </td>
              <td>{eventType}</td>
              <td>
                <State name={deliveryState(state, attempts)} />
              </td>
              <td class="num">{attempts}</td>
              <td>
                <span class="mono">{status ?? errorCode ?? '—'}</span> <span class="muted small">{error ?? ''}</span>
              </td>
              <td>
                {nextAttemptAt === null
                  ? '—'
                  : Date.parse(nextAttemptAt) > now.value
                    ? `in ${duration(Date.parse(nextAttemptAt) - now.value)}`
                    : 'now'}
              </td>
            </tr>
          ),
        )}
      </tbody>
    </table>
  </section>
);
