import type { Condition, Verdict } from '@clickrelay/health';
import { type Channel, channelDeclaration, completeChannel } from '../src/channel.ts';

/* Verdicts and channels made by hand. */

export const CODES = ['destination_failing', 'dead_letters', 'redis_away', 'channel_failing', 'silence', 'data_lost'];

export const at = (iso: string): number => Date.parse(iso);
export const START = at('2026-11-30T10:00:00.000Z');

export const condition = (overrides: Partial<Condition> = {}): Condition => ({
  code: 'destination_failing',
  severity: 'critical',
  state: 'raised',
  subject: { kind: 'destination', id: 'crm' },
  since: '2026-11-30T09:46:00.000Z',
  count: 371,
  sentence: 'crm has taken nothing for 26 minutes; 371 deliveries wait',
  mend: { text: 'see what it answers', command: 'clickrelay destinations test crm', link: null },
  inhibitedBy: null,
  acknowledged: null,
  ...overrides,
});

export const verdict = (nowMs: number, conditions: readonly Condition[] = []): Verdict => ({
  state: 'ok',
  checkedAt: new Date(nowMs).toISOString(),
  conditions,
});

export const channel = (settings: Record<string, unknown> = {}, id = 'ops'): Channel => {
  const declared = { type: 'webhook', url: 'https://ops.example/hook', ...settings };
  return completeChannel(id, channelDeclaration(CODES).parse(declared), undefined).channel;
};
