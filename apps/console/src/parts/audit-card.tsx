import type { AuditEntry } from '@clickrelay/client';
import { useLocation } from 'preact-iso/router';
import { useLoad } from '../load.ts';
import { call } from '../session.ts';
import { withQuery } from '../url.ts';
import { Empty, Failed, Skeleton } from './page-state.tsx';
import { Time } from './time.tsx';

const PAGE = 100;

/** What is filtered by: the beginning of an action. */
const KINDS = [
  ['', 'Everything'],
  ['destination.', 'Destinations'],
  ['key.', 'Keys'],
  ['replay.', 'Replays'],
  ['dead_letter', 'Dead letters'],
  ['quarantine.', 'Quarantine'],
  ['personal_data.', 'Personal data shown or searched'],
  ['alert_channel.', 'Channels of alerts'],
  ['health.', 'Acknowledgements'],
  ['credential.', 'Credentials of callbacks'],
] as const;

/** Who did what, and what changed by it. The address holds the filter. */
export const AuditCard = () => {
  const { query, path, route } = useLocation();
  const { by = '', action = '', target = '' } = query;
  const chosen = { by: by || undefined, action: action || undefined, target: target || undefined };
  const loaded = useLoad(`${by} ${action} ${target}`, (signal) =>
    call('GET /v1/audit', { query: { limit: PAGE, ...chosen }, signal }),
  );
  const set = (changes: Record<string, string>): void => route(withQuery(path, query, changes), true);
  const isFiltered = by !== '' || action !== '' || target !== '';
  return (
    <section class="card">
      <header>
        <h2 class="grow">Audit record</h2>
        <select
          class="plain-select"
          aria-label="What was done"
          value={action}
          onChange={({ currentTarget }) => set({ action: currentTarget.value })}
        >
          {KINDS.map(([value, word]) => (
            <option key={value} value={value}>
              {word}
            </option>
          ))}
        </select>
        {isFiltered && (
          <button class="btn s" type="button" onClick={() => set({ by: '', action: '', target: '' })}>
            Clear filters
          </button>
        )}
      </header>
      <Failed loaded={loaded} />
      {loaded.data === undefined ? (
        loaded.error === undefined && <Skeleton />
      ) : loaded.data.items.length === 0 ? (
        <Empty title={isFiltered ? 'Nothing of this kind was done' : 'Nobody changed or revealed anything yet'} />
      ) : (
        <section class="scroll" tabIndex={0} aria-label="Audit record">
          <table>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Who</th>
                <th scope="col">What</th>
                <th scope="col">Of</th>
                <th scope="col">What changed</th>
              </tr>
            </thead>
            <tbody>
              {loaded.data.items.map((entry) => (
                <Row key={entry.id} entry={entry} onChoose={set} />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
};

const Row = ({ entry, onChoose }: { entry: AuditEntry; onChoose: (changes: Record<string, string>) => void }) => {
  const { at, by, action, target, detail = {} } = entry;
  return (
    <tr>
      <td>
        <Time at={at} millis={false} />
      </td>
      <td>
        <button class="link" type="button" title="Only what this key did" onClick={() => onChoose({ by })}>
          {by}
        </button>
      </td>
      <td>{action.replaceAll('_', ' ').replace('.', ' ')}</td>
      <td>
        <button class="link mono" type="button" title="Only what was done to this" onClick={() => onChoose({ target })}>
          {target}
        </button>
      </td>
      <td class="small breaks">{detailOf(detail)}</td>
    </tr>
  );
};

const textOf = (value: unknown): string => {
  if (value === null || value === undefined) return '—';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

/** `timeoutMs: 15000 → 9000`; of a secret only that it is another. */
const detailOf = (detail: Readonly<Record<string, unknown>>): string => {
  const { changes, ...rest } = detail;
  const changed = Object.entries((changes ?? {}) as Record<string, unknown>).map(([name, change]) => {
    if (typeof change !== 'object' || change === null) return `${name}: ${textOf(change)}`;
    const { before, after } = change as { before?: unknown; after?: unknown };
    return `${name}: ${textOf(before)} → ${textOf(after)}`;
  });
  const others = Object.entries(rest)
    .filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${name}: ${textOf(value)}`);
  return [...changed, ...others].join('; ');
};
