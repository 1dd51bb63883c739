import type { LedgerSum } from '../ledger.ts';
import { Icon } from './icon.tsx';

const NUMBERS = [
  { name: 'accepted', label: 'Deliveries owed', icon: undefined, tone: '', sign: undefined },
  { name: 'delivered', label: 'Delivered', icon: 'ok', tone: 'ok', sign: '=' },
  { name: 'waiting', label: 'Waiting', icon: 'wait', tone: '', sign: '+' },
  { name: 'parked', label: 'Parked', icon: 'park', tone: 'hold', sign: '+' },
  { name: 'dead', label: 'Dead letters', icon: 'dead', tone: 'bad', sign: '+' },
  { name: 'removed', label: 'Removed', icon: 'x', tone: '', sign: '+' },
  { name: 'unaccounted', label: 'Unaccounted', icon: undefined, tone: '', sign: '+' },
] as const;

/** A sum that a person can check: nothing is lost as long as the last number is 0. */
export const LedgerLine = ({ sum }: { sum: LedgerSum }) => (
  <dl class="ledger" aria-label="Ledger of the last 24 hours">
    {NUMBERS.filter(({ name }) => name !== 'removed' || sum.removed > 0).map(({ name, label, icon, tone, sign }) => (
      <div key={name} data-op={sign}>
        <dt class={sum[name] > 0 ? tone : ''}>
          {icon !== undefined && <Icon name={icon} />}
          {label}
        </dt>
        <dd class={name === 'unaccounted' && sum.unaccounted > 0 ? 'bad' : ''}>
          {sum[name].toLocaleString('en')}
          {name === 'waiting' && sum.retrying > 0 && (
            <small class="muted"> {sum.retrying.toLocaleString('en')} owed failed before</small>
          )}
        </dd>
      </div>
    ))}
  </dl>
);
