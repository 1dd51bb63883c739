import type { Event } from '@clickrelay/core';
import type { Attempt, Delivery } from '@clickrelay/queue';
import { fitColumns, GAP, lineWidth, pad, shorten } from './fit-columns.ts';
import { paint } from './paint.ts';
import { shortTime } from './time.ts';

export { shortTime } from './time.ts';

/** What the API shows in place of personal data. */
export const HIDDEN = '(hidden)';

/**
 * Formats rows under headings, with columns as wide as needed. Where the terminal is too narrow even for shortened
 * columns, each row becomes a block with a line for each column.
 * @param indent how far the caller will indent it
 */
export const table = (headings: string[], rows: string[][], indent = 0): string => {
  const width = lineWidth() - indent;
  const clean = rows.map((row) => row.map((cell) => cell.replaceAll(/[\n\p{Cc}]+/gu, ' ')));
  const widths = fitColumns([headings, ...clean], width);
  if (widths === undefined) return clean.map((row) => block(headings, row, width)).join('\n\n');
  const line = (cells: string[], style: (text: string) => string): string =>
    cells
      .map((cell, column) => {
        const text = shorten(cell, widths[column] ?? 0);
        // Nothing is written behind the last text of a line.
        const isLast = cells.slice(column + 1).every((further) => further === '');
        return text === '' ? pad('', widths[column] ?? 0) : pad(style(text), isLast ? 0 : (widths[column] ?? 0));
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  return [line(headings, (text) => paint('bold', text)), ...clean.map((row) => line(row, paintState))].join('\n');
};

const block = (headings: readonly string[], row: readonly string[], width: number): string => {
  const names = Math.max(...headings.map(({ length }) => length));
  const lines = headings.flatMap((heading, column) => {
    const cell = row[column] ?? '';
    if (cell === '') return [];
    const text = cell.includes(' ') ? shorten(cell, width - names - GAP) : cell;
    return [`${paint('bold', pad(heading, names))}${' '.repeat(GAP)}${paintState(text)}`];
  });
  return lines.join('\n');
};

const STATES = { delivered: 'green', active: 'green', pending: 'yellow', dead_letter: 'red' } as const;

/** Gives a cell that is just a state its colour. */
const paintState = (cell: string): string =>
  Object.hasOwn(STATES, cell) ? paint(STATES[cell as keyof typeof STATES], cell) : cell;

/** From whom to whom. */
export const parties = ({ from, to }: Event): string =>
  from === null && to === null ? '' : `${from ?? '?'} -> ${to ?? '?'}`;

/** The content of an event in a few words. */
export const gist = (event: Event): string => {
  const data = event.data as Record<string, unknown>;
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const item = (value: unknown) => {
    const { content, postbackData } = (value ?? {}) as Record<string, unknown>;
    return text(content) || text(postbackData);
  };
  const list = (value: unknown) => (Array.isArray(value) ? (value as unknown[]) : []);
  const words = (): string => {
    if (event.valid === false) return event.issues?.find(({ path }) => path === '')?.message ?? 'does not fit its type';
    switch (event.type) {
      case 'moText':
      case 'moSuggestedResponse':
        return text(data['text']);
      case 'moMedia':
        return list(data['files'])
          .map(
            (file) =>
              text((file as Record<string, unknown>)['fileName']) ||
              text((file as Record<string, unknown>)['contentType']),
          )
          .concat(text(data['caption']))
          .filter(Boolean)
          .join(', ');
      case 'moLocation':
        return text(data['name']) || `${data['latitude']}, ${data['longitude']}`;
      case 'moContacts':
        return `${list(data['contacts']).length} contact(s)`;
      case 'moListPickerResponse':
        return list(data['selectedItems']).map(item).join(', ');
      case 'moButtonResponse':
        return item(data['selectedItem']);
      case 'messageStatusUpdate':
        return `${text(data['name']) || data['code']} (${text(data['class'])}) of ${event.messageId}`;
      default:
        return '';
    }
  };
  return oneLine(words(), 60);
};

/** Removes line breaks and other characters that move the cursor, and cuts the text to a length. */
export const oneLine = (text: string, length: number): string =>
  shorten(text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim(), length);

/** What became of an event, in a few words: `delivered: crm, bot`; what needs somebody comes first. */
export const became = (deliveries: readonly { readonly destinationId: string; readonly state: string }[]): string =>
  ['dead_letter', 'pending', 'delivered']
    .flatMap((state) => {
      const ids = deliveries.filter((one) => one.state === state).map(({ destinationId }) => destinationId);
      return ids.length === 0 ? [] : [`${state}: ${ids.join(', ')}`];
    })
    .join('; ') || 'wanted by none';

/** The state of a delivery: `crm delivered`, `crm pending (503), again at 2026-11-23T12:00:05Z`. */
export const deliveryState = ({ destinationId, state, attempts, nextAttemptAt }: Delivery): string => {
  const last = attempts.at(-1);
  if (state === 'delivered') return `${destinationId} delivered`;
  if (state === 'dead_letter') return `${destinationId} dead letter (${lastProblem(last)})`;
  const why = last === undefined ? '' : ` (${lastProblem(last)})`;
  return `${destinationId} pending${why}${nextAttemptAt === null ? '' : `, again at ${shortTime(nextAttemptAt)}`}`;
};

const lastProblem = (attempt: Attempt | undefined): string => {
  if (attempt === undefined) return 'never attempted';
  return attempt.status === null ? (attempt.error?.message ?? 'no answer') : String(attempt.status);
};

export const attemptLine = ({ number, startedAt, durationMs, outcome, status, error }: Attempt): string => {
  const answer = [status, error?.message].filter((part) => part !== null && part !== undefined).join(' ');
  const ended = `${outcome.replace('_', ' ')}${answer === '' ? '' : ` (${answer})`}`;
  return `attempt ${number} at ${shortTime(startedAt)}, ${Math.round(durationMs)} ms: ${ended}`;
};
