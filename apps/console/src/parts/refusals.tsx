import type { Intake } from '@clickrelay/client';
import type { ComponentChildren } from 'preact';
import { Empty } from './page-state.tsx';
import { Table } from './table.tsx';
import { Ago } from './time.tsx';

type Reason = keyof Intake['items'][number]['refused'];

const REASONS: Readonly<Record<Reason, { word: string; status: number; mend: ComponentChildren }>> = {
  noCredential: {
    word: 'No credential',
    status: 401,
    mend: 'Hardly from Clickatell: somebody who knows the address, or a URL that was pasted without its secret.',
  },
  wrongCredential: {
    word: 'Wrong credential',
    status: 401,
    mend: (
      <>
        Clickatell's portal may have an old URL: compare it with <a href="/setup">Set-up</a>.
      </>
    ),
  },
  forbidden: {
    word: 'Not allowed',
    status: 403,
    mend: 'The address is not in CALLBACK_ALLOW_IPS, or the integration not in CALLBACK_INTEGRATION_IDS.',
  },
  tooLarge: { word: 'Too large', status: 413, mend: 'Larger than MAX_BODY_BYTES.' },
  unprocessable: {
    word: 'The quarantine is full',
    status: 422,
    mend: (
      <>
        What cannot be read has no room left: decide on what is in <a href="/quarantine">Quarantine</a>.
      </>
    ),
  },
  rateLimited: { word: 'Too many', status: 429, mend: 'Too many wrong credentials from one address.' },
  unavailable: {
    word: 'Nothing durable to write to',
    status: 503,
    mend: (
      <>
        Clickatell sends them again. <a href="/">Overview</a> says what is wrong.
      </>
    ),
  },
};

/** What was refused, why, and what to do about it. */
export const Refusals = ({ intake: { items } }: { intake: Intake }) => {
  const rows = (Object.keys(REASONS) as Reason[]).flatMap((reason) => {
    const count = items.reduce((sum, { refused }) => sum + refused[reason], 0);
    const last = items.findLast(({ refused }) => refused[reason] > 0)?.at;
    return last === undefined ? [] : [{ reason, count, last }];
  });
  if (rows.length === 0) return <Empty title="Nothing was refused" />;
  return (
    <Table
      name="What was refused, by reason"
      rows={rows}
      keyOf={({ reason }) => reason}
      columns={[
        {
          head: 'Reason',
          class: 'cell2 wraps',
          cell: ({ reason }) => (
            <>
              {REASONS[reason].word}
              <small>{REASONS[reason].mend}</small>
            </>
          ),
        },
        { head: 'Answered', num: true, cell: ({ reason }) => REASONS[reason].status },
        { head: 'Callbacks', num: true, class: 'bad', cell: ({ count }) => count.toLocaleString('en') },
        { head: 'Last', cell: ({ last }) => <Ago at={last} /> },
      ]}
    />
  );
};
