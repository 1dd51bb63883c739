import type { AttemptFigures, Destination } from '@clickrelay/client';
import { connectApi } from '../../api-client.ts';
import { shortTime } from '../../format.ts';
import { type Context, show } from '../context.ts';

/** Shows a destination with all its settings, and how its attempts went. */
export const showDestination = async (id: string, context: Context): Promise<void> => {
  const api = connectApi(context.config);
  const destination = await api.call('GET /v1/destinations/{id}', { path: { id } });
  const { sum } = await api.call('GET /v1/destinations/{id}/hours', { path: { id } });
  show(context, destination, ({ paused, held, revision: _, ...settings }) => {
    const rows = Object.entries(settings).map(([name, value]) => [name, settingText(value)]);
    const first = [
      ['state', stateOf({ paused, held })],
      ['last 24h', attemptsText(sum)],
    ];
    const width = Math.max(...[...first, ...rows].map(([name = '']) => name.length));
    return [...first, ...rows].map(([name = '', value]) => `${name.padEnd(width)}  ${value}`).join('\n');
  });
};

const attemptsText = ({ delivered, failed, deliveredShare, firstTryShare, p95Ms }: AttemptFigures): string => {
  if (deliveredShare === null) return 'no attempts';
  return [
    `${delivered + failed} attempts`,
    `${percent(deliveredShare)} delivered`,
    ...(firstTryShare === null ? [] : [`${percent(firstTryShare)} of those at first try`]),
    `95 % within ${p95Ms} ms`,
  ].join(', ');
};

/** Rounded down, so that only all of them are 100 %. */
const percent = (share: number): string => `${Math.floor(share * 10_000) / 100} %`;

const settingText = (value: unknown): string => {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

/** Whether a destination gets events, and if not, why. */
export const stateOf = ({ paused, held }: Pick<Destination, 'paused' | 'held'>): string => {
  if (paused !== null) return `paused: ${paused}`;
  return held === null ? 'active' : `held: ${held.reason}, tried again at ${shortTime(held.until)}`;
};
