import type { Intake } from '@clickrelay/client';

/* Callbacks by minute or hour, as Overview and Intake draw them. */

export const intakeSeries = [
  { name: 'Messages', tone: 'messages' },
  { name: 'Statuses', tone: 'statuses' },
  { name: 'Refused', tone: 'refused' },
] as const;

const STEP_MS = { minute: 60_000, hour: 3_600_000 } as const;

export const sumRefused = (refused: Intake['items'][number]['refused']): number =>
  Object.values(refused).reduce((sum, count) => sum + count, 0);

/** Each minute or hour of the span, also those in which nothing came. */
export const pointsOf = ({ from, to, step, items }: Intake) => {
  const ms = STEP_MS[step];
  const byStep = new Map(items.map((item) => [Date.parse(item.at), item]));
  const first = Math.floor(Date.parse(from) / ms);
  const last = Math.ceil(Date.parse(to) / ms);
  return Array.from({ length: Math.max(last - first, 0) }, (_, index) => {
    const at = (first + index) * ms;
    const item = byStep.get(at);
    const refused = item === undefined ? 0 : sumRefused(item.refused);
    return {
      at: new Date(at).toISOString(),
      values: [item?.messages.callbacks ?? 0, item?.statuses.callbacks ?? 0, refused],
    };
  });
};
