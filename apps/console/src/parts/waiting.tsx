import type { ComponentChildren } from 'preact';
import { duration, now } from '../time.ts';
import { Table } from './table.tsx';

export interface Queue {
  readonly id: string;
  readonly name: ComponentChildren;
  readonly waiting: number;
  /** When the oldest that waits came; null when nothing waits. */
  readonly oldestAt: string | null;
}

/** How old the oldest is that waits in each queue: a bar as long as its age, beside the age and the number. */
export const Waiting = ({ title, queues }: { title: string; queues: readonly Queue[] }) => {
  const ageOf = ({ oldestAt }: Queue): number =>
    oldestAt === null ? 0 : Math.max(now.value - Date.parse(oldestAt), 0);
  const most = Math.max(...queues.map(ageOf), 60_000);
  return (
    <Table
      name={title}
      rows={[...queues].sort((a, b) => ageOf(b) - ageOf(a) || b.waiting - a.waiting)}
      keyOf={({ id }) => id}
      columns={[
        { head: 'Queue', cell: ({ name }) => name },
        { head: 'Waiting', num: true, cell: ({ waiting }) => waiting.toLocaleString('en') },
        { head: 'Oldest', num: true, cell: (queue) => (queue.oldestAt === null ? '—' : duration(ageOf(queue))) },
        {
          head: <span class="sr">Drawn</span>,
          class: 'age',
          cell: (queue) => (
            <svg class="chart" width="100%" height="12" aria-hidden="true">
              <rect
                class="messages"
                width={`${Math.max((100 * ageOf(queue)) / most, queue.oldestAt === null ? 0 : 1)}%`}
                height="12"
                rx="3"
              />
            </svg>
          ),
        },
      ]}
    />
  );
};
