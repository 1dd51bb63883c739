import type { ComponentChildren } from 'preact';
import { Icon } from './icon.tsx';

/** Word, shape, then colour; never colour alone. Every state of every page is drawn here. */
export const STATES = {
  delivered: { word: 'Delivered', icon: 'ok', tone: 'ok' },
  healthy: { word: 'Healthy', icon: 'ok', tone: 'ok' },
  waiting: { word: 'Waiting', icon: 'wait', tone: 'idle' },
  retrying: { word: 'Retrying', icon: 'retry', tone: 'warn' },
  failing: { word: 'Failing', icon: 'retry', tone: 'warn' },
  throttled: { word: 'Throttled', icon: 'clock', tone: 'warn' },
  paused: { word: 'Paused', icon: 'park', tone: 'hold' },
  dead: { word: 'Dead letter', icon: 'dead', tone: 'bad' },
  quarantined: { word: 'Quarantined', icon: 'warn', tone: 'warn' },
  critical: { word: 'Critical', icon: 'dead', tone: 'bad' },
  warning: { word: 'Warning', icon: 'warn', tone: 'warn' },
  info: { word: 'Worth knowing', icon: 'info', tone: 'idle' },
  unknown: { word: 'Cannot tell', icon: 'wait', tone: 'idle' },
  late: { word: 'late', icon: 'late', tone: 'warn' },
} as const;

export type StateName = keyof typeof STATES;

export const State = ({ name, children }: { name: StateName; children?: ComponentChildren }) => {
  const { word, icon, tone } = STATES[name];
  return (
    <span class={`st ${tone}`}>
      <Icon name={icon} />
      {children ?? word}
    </span>
  );
};

/** The state of a delivery, told apart by whether it failed before. */
export const deliveryState = (state: 'pending' | 'delivered' | 'dead_letter', attempts: number): StateName => {
  if (state === 'delivered') return 'delivered';
  if (state === 'dead_letter') return 'dead';
  return attempts > 0 ? 'retrying' : 'waiting';
};
