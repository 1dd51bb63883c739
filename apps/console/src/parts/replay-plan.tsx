import type { DeadLetterGroup } from '@clickrelay/client';
import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { call } from '../session.ts';
import { ago, duration } from '../time.ts';
import { wordsOf } from '../words.ts';
import { say } from './live-region.tsx';

/** A filter and what it leaves out, so that a choice works over any number of pages. */
export interface Chosen {
  readonly destination: string | undefined;
  readonly kind: DeadLetterGroup['kind'] | undefined;
  readonly except: readonly string[];
  readonly count: number;
}

type Plan = Awaited<ReturnType<typeof ask>>;

const ask = (chosen: Chosen, rate: string, dryRun: boolean) =>
  call('POST /v1/replays', {
    body: {
      state: 'dead_letter',
      ...(chosen.destination !== undefined && { destination: chosen.destination }),
      ...(chosen.kind !== undefined && { kind: chosen.kind }),
      ...(chosen.except.length > 0 && { except: [...chosen.except] }),
      ...(rate !== '' && { rate }),
      dryRun,
    },
  });

/** Planned, counted, then done: the button carries the number. */
export const ReplayPlan = ({ chosen }: { chosen: Chosen }) => {
  const { route } = useLocation();
  const [rate, setRate] = useState('');
  const [plan, setPlan] = useState<Plan>();
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const run = async (dryRun: boolean): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      const answer = await ask(chosen, rate, dryRun);
      if (answer.replay === null) setPlan(answer);
      else {
        say('Queued again: see the attempts when they happen');
        route(`/replays/${answer.replay.id}`);
      }
    } catch (refused) {
      setError(wordsOf(refused));
    }
    setBusy(false);
  };
  const will = plan?.matched ?? null;
  return (
    <section class="card" aria-label="Replay plan">
      <header>
        <h2 class="grow">Send again</h2>
        <span class="tag">{plan === undefined ? 'not counted yet' : 'counted'}</span>
      </header>
      <div class="body stack">
        {plan !== undefined && (
          <dl class="sum">
            {plan.leftOut.map(({ reason, count }) => (
              <>
                <dt class="muted" key={`${reason}-name`}>
                  {reason.replaceAll('_', ' ')}
                </dt>
                <dd class="muted" key={reason}>
                  − {count.toLocaleString('en')}
                </dd>
              </>
            ))}
            <dt class="total">Will be sent</dt>
            <dd class="total">{will === null ? 'too many to count' : will.toLocaleString('en')}</dd>
            {plan.oldest !== null && (
              <>
                <dt>Oldest</dt>
                <dd>{ago(plan.oldest)}</dd>
              </>
            )}
            {plan.seconds !== null && (
              <>
                <dt>Takes about</dt>
                <dd>{duration(plan.seconds * 1_000)}</dd>
              </>
            )}
          </dl>
        )}
        <label class="field">
          Rate, as many as it can take if empty
          <input value={rate} placeholder="20/s" onInput={({ currentTarget }) => setRate(currentTarget.value.trim())} />
        </label>
        {error !== undefined && (
          <p role="alert" class="bad">
            {error}
          </p>
        )}
        {plan === undefined ? (
          <button class="btn" type="button" disabled={isBusy || chosen.count === 0} onClick={() => run(true)}>
            Count what would be sent
          </button>
        ) : (
          <button class="btn primary" type="button" disabled={isBusy || will === 0} onClick={() => run(false)}>
            {will === null ? 'Send them again' : `Send ${will.toLocaleString('en')} again`}
          </button>
        )}
      </div>
    </section>
  );
};
