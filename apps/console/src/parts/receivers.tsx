import type { Parts } from '@clickrelay/client';
import { ago, duration } from '../time.ts';
import { Empty } from './page-state.tsx';
import { State } from './state.tsx';
import { Table } from './table.tsx';

export type Receiver = Extract<Parts['items'][number], { role: 'receiver' }>;

const size = (bytes: number): string => {
  const [unit, name] = bytes >= 1e9 ? [1e9, 'GB'] : [1e6, 'MB'];
  return `${(bytes / unit).toLocaleString('en', { maximumFractionDigits: 1 })} ${name}`;
};

const spoolWords = ({ spool }: Receiver): string => {
  if (spool === null) return 'no spool';
  if (spool.callbacks === 0) return `empty, room for ${size(spool.maxBytes)}`;
  const oldest = spool.oldestAt === null ? '' : `, the oldest from ${ago(spool.oldestAt)}`;
  return `${spool.callbacks.toLocaleString('en')} wait, ${size(spool.bytes)}${oldest}`;
};

/** Whether each would take a callback now, how fast it commits, and what waits on its disk. */
export const Receivers = ({ receivers }: { receivers: readonly Receiver[] }) =>
  receivers.length === 0 ? (
    <Empty title="No receiver runs: no callback is taken now" />
  ) : (
    <Table
      name="List of receivers"
      rows={receivers}
      keyOf={({ process }) => process}
      columns={[
        {
          head: 'State',
          cell: ({ readiness }) => (
            <State name={readiness.ready ? 'healthy' : 'critical'}>
              {readiness.ready ? 'Takes callbacks' : 'Takes none'}
            </State>
          ),
        },
        {
          head: 'Receiver',
          class: 'cell2',
          cell: ({ process, host, port, version }) => (
            <>
              <span class="mono">{process}</span>
              <small>
                {host}:{port}, version {version}
              </small>
            </>
          ),
        },
        { head: 'Kept', cell: ({ readiness }) => readiness.durability },
        {
          head: 'On disk in, p99',
          num: true,
          cell: ({ commitP99Ms }) => (commitP99Ms === null ? '—' : duration(commitP99Ms)),
        },
        {
          head: 'Spool',
          class: ({ spool }) => ((spool?.callbacks ?? 0) > 0 || (spool?.setAside ?? 0) > 0 ? 'warn' : ''),
          cell: (receiver) => (
            <>
              {spoolWords(receiver)}
              {(receiver.spool?.setAside ?? 0) > 0 && `, ${receiver.spool?.setAside} files set aside`}
            </>
          ),
        },
        {
          head: 'Disk free',
          num: true,
          cell: ({ disks }) => (disks[0] === undefined ? '—' : size(disks[0].freeBytes)),
        },
      ]}
    />
  );
