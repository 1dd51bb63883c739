import type { Event } from '@clickrelay/core';
import type { Attempt, Delivery } from '@clickrelay/queue';

/** What the API shows in place of personal data. */
export const HIDDEN = '(hidden)';

/** Formats rows under headings, with columns as wide as needed. */
export const table = (headings: string[], rows: string[][]): string => {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [headings, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

/** Local time, with the date unless it is today. */
export const shortTime = (iso: string, now: Date = new Date()): string => {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const two = (part: number) => String(part).padStart(2, '0');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  if (time.toDateString() === now.toDateString()) return clock;
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock}`;
};

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
    if (event.valid === false) return 'does not fit its type';
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
export const oneLine = (text: string, length: number): string => {
  const clean = text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  return clean.length <= length ? clean : `${clean.slice(0, length - 1)}…`;
};

/** The state of a delivery: `crm delivered`, `crm pending (503), again at 12:00:05`. */
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
