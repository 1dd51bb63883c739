import type { Replay } from '@clickrelay/client';
import { call, may } from '../session.ts';
import { wordsOf } from '../words.ts';
import { say } from './live-region.tsx';
import { State } from './state.tsx';

const WORDS: Readonly<Record<Replay['state'], string>> = {
  running: 'Sending',
  paused: 'Paused',
  cancelled: 'Cancelled',
  done: 'Done',
};

/** What was chosen, in words. */
export const selectionOf = ({ selection }: Replay): string => {
  const { state, destination, kind, deliveryCount } = selection;
  const what = state === 'dead_letter' ? 'dead letters' : 'deliveries';
  return [
    ...(deliveryCount === undefined ? [] : [`${deliveryCount} chosen`]),
    what,
    ...(destination === undefined ? [] : [`of ${destination}`]),
    ...(kind === undefined ? [] : [`(${kind.replaceAll('_', ' ')})`]),
  ].join(' ');
};

/** One replay: how far it is, what was delivered and what failed again, told apart. */
export const ReplayCard = ({ replay, onChange }: { replay: Replay; onChange: () => void }) => {
  const { id, by, state, matched, replayed, delivered, failed, skipped, rate } = replay;
  const total = matched ?? Math.max(replayed + skipped, 1);
  const set = async (next: 'running' | 'paused' | 'cancelled'): Promise<void> => {
    try {
      await call('PATCH /v1/replays/{id}', { path: { id }, body: { state: next } });
    } catch (error) {
      say(wordsOf(error));
    }
    onChange();
  };
  return (
    <section class="card" aria-label={`Replay ${id}`}>
      <header>
        <h2 class="grow">
          {WORDS[state]}: {selectionOf(replay)}
        </h2>
        {may('replay') && state === 'running' && (
          <button class="btn s" type="button" onClick={() => set('paused')}>
            Pause
          </button>
        )}
        {may('replay') && state === 'paused' && (
          <button class="btn s primary" type="button" onClick={() => set('running')}>
            Resume
          </button>
        )}
        {may('replay') && (state === 'running' || state === 'paused') && (
          <button class="btn s danger" type="button" onClick={() => set('cancelled')}>
            Cancel
          </button>
        )}
      </header>
      <div class="body">
        <progress max={total} value={replayed + skipped} aria-label="How far it is" />
        <p class="small muted">
          {(replayed + skipped).toLocaleString('en')} of{' '}
          {matched === null ? 'those chosen' : matched.toLocaleString('en')} looked at
          {rate === null ? '' : `, at ${rate}`}; by {by}
        </p>
        <p class="marks">
          <State name="delivered">{delivered.toLocaleString('en')} delivered</State>
          <State name="dead">{failed.toLocaleString('en')} failed again</State>
          <span class="muted">{skipped.toLocaleString('en')} left out</span>
        </p>
      </div>
    </section>
  );
};
