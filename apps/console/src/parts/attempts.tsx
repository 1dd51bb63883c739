import type { Attempt } from '@clickrelay/client';
import { useState } from 'preact/hooks';
import { clockTime, duration } from '../time.ts';
import { Icon } from './icon.tsx';

/** Each attempt in a line; the last failed one is open with its answer. */
export const Attempts = ({ attempts }: { attempts: readonly Attempt[] }) => {
  const [open, setOpen] = useState<number | undefined>(
    attempts.findLast(({ outcome }) => outcome !== 'delivered')?.number,
  );
  return (
    <div class="try">
      {attempts.map((attempt) => (
        <One
          key={attempt.number}
          attempt={attempt}
          isOpen={open === attempt.number}
          onToggle={() => setOpen(open === attempt.number ? undefined : attempt.number)}
        />
      ))}
    </div>
  );
};

const One = ({ attempt, isOpen, onToggle }: { attempt: Attempt; isOpen: boolean; onToggle: () => void }) => {
  const { number, startedAt, durationMs, outcome, status, error, response } = attempt;
  const isGood = outcome === 'delivered';
  return (
    <>
      <button class={`r ${isOpen ? 'open' : ''}`} type="button" aria-expanded={isOpen} onClick={onToggle}>
        <Icon name={isGood ? 'ok' : isOpen ? 'down' : 'x'} class={isGood ? 'ok' : 'bad'} />
        <span>{number}</span>
        <span class="mono">{clockTime(startedAt)}</span>
        <span class={`mono ${isGood ? 'ok' : 'bad'}`}>{status ?? error?.code ?? ''}</span>
        <span class="muted clip">{error?.message ?? ''}</span>
        <span class="num">{duration(durationMs)}</span>
      </button>
      {isOpen && (
        <div class="pair one">
          <div>
            <h4>Answer</h4>
            <pre tabIndex={0}>{response === '' ? 'no body' : response}</pre>
          </div>
        </div>
      )}
    </>
  );
};
