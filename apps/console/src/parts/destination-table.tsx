import type { Condition, Overview } from '@clickrelay/client';
import { duration, now } from '../time.ts';
import { sentence } from '../words.ts';
import { Empty } from './page-state.tsx';
import { State, type StateName } from './state.tsx';

type Destination = Overview['destinations'][number];

const STATE: Readonly<Record<Destination['state'], StateName>> = {
  active: 'healthy',
  failing: 'failing',
  throttled: 'throttled',
  paused: 'paused',
};

/** The worst first. */
const ORDER: readonly Destination['state'][] = ['failing', 'paused', 'throttled', 'active'];

const worstFirst = (a: Destination, b: Destination): number =>
  ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || b.deadLetters - a.deadLetters || b.waiting - a.waiting;

const percent = (share: number | null): string =>
  share === null ? '—' : `${(100 * share).toFixed(share === 1 ? 0 : 2)} %`;

export interface DestinationTableProps {
  readonly destinations: readonly Destination[];
  /** What needs somebody, of the health model: this table judges nothing by itself. */
  readonly conditions: readonly Condition[];
}

const worstOf = (conditions: readonly Condition[], id: string): Condition | undefined =>
  conditions.find(({ subject }) => subject.kind === 'destination' && subject.id === id);

export const DestinationTable = ({ destinations, conditions }: DestinationTableProps) =>
  destinations.length === 0 ? (
    <Empty title="There is no destination yet">
      <p>Events are kept, and go nowhere: clickrelay destinations add crm --url https://crm.example.com/clickatell</p>
    </Empty>
  ) : (
    <section class="scroll" tabIndex={0} aria-label="List of destinations">
      <table>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Destination</th>
            <th scope="col" class="num">
              Delivered, 24 h
            </th>
            <th scope="col" class="num">
              At first try
            </th>
            <th scope="col" class="num">
              p95
            </th>
            <th scope="col" class="num">
              Undelivered
            </th>
            <th scope="col" class="num">
              Oldest
            </th>
            <th scope="col" class="num">
              Dead letters
            </th>
          </tr>
        </thead>
        <tbody>
          {[...destinations].sort(worstFirst).map((destination) => (
            <Row key={destination.id} destination={destination} worst={worstOf(conditions, destination.id)} />
          ))}
        </tbody>
      </table>
    </section>
  );

const Row = ({ destination, worst }: { destination: Destination; worst: Condition | undefined }) => {
  const { id, type, state, until, waiting, oldestAt, deadLetters, last24h } = destination;
  const name = state === 'active' && worst !== undefined ? worst.severity : STATE[state];
  return (
    <tr>
      <td class="cell2">
        <State name={name} />
        {until !== null && Date.parse(until) > now.value && (
          <small>tried again in {duration(Date.parse(until) - now.value)}</small>
        )}
      </td>
      <td class="cell2">
        <a href={`/destinations/${id}`}>
          <b>{id}</b>
        </a>
        <small>{worst === undefined ? type : sentence(worst.sentence, id)}</small>
      </td>
      <td class="num">{last24h.delivered.toLocaleString('en')}</td>
      <td class="num">{percent(last24h.firstTryShare)}</td>
      <td class="num">{last24h.p95Ms === null ? '—' : duration(last24h.p95Ms)}</td>
      <td class="num">{waiting.toLocaleString('en')}</td>
      <td class="num">{oldestAt === null ? '—' : duration(now.value - Date.parse(oldestAt))}</td>
      <td class={`num ${deadLetters > 0 ? 'bad' : ''}`}>{deadLetters.toLocaleString('en')}</td>
    </tr>
  );
};
