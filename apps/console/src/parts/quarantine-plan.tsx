import { useState } from 'preact/hooks';
import {
  bodyOf,
  type ChosenQuarantined,
  type QuarantinePlanned as Plan,
  type QuarantineRun as Run,
  useQuarantineRun,
} from '../quarantine-run.ts';
import { call } from '../session.ts';
import { ago } from '../time.ts';
import { wordsOf } from '../words.ts';
import { Ask } from './dialog.tsx';

const COUNTED_AT_ONCE = 500;
/** To delete more, the number must be typed. */
const MOST_UNTYPED = 100;

const count = async (chosen: ChosenQuarantined): Promise<Plan> => {
  let readable = 0;
  let until: string | undefined;
  for (let after = 0; ; ) {
    const answer = await call('POST /v1/quarantine/reparse', {
      body: { ...bodyOf(chosen), ...(until !== undefined && { until }), dryRun: true, limit: COUNTED_AT_ONCE, after },
    });
    readable += answer.parsed;
    until = answer.until;
    if (answer.after === null) return { ...answer, readable };
    after = answer.after;
  }
};

interface QuarantinePlanProps {
  readonly chosen: ChosenQuarantined;
  readonly onChange: () => void;
}

/** Counted, then done a part at a time: it shows how far it is, pauses, and goes on. */
export const QuarantinePlan = ({ chosen, onChange }: QuarantinePlanProps) => {
  const [plan, setPlan] = useState<Plan>();
  const { run, failure, isGoing, parse, remove, goOn, pause } = useQuarantineRun(chosen, onChange);
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const [isAsked, setAsked] = useState(false);
  const look = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      setPlan(await count(chosen));
    } catch (refused) {
      setError(wordsOf(refused));
    }
    setBusy(false);
  };

  return (
    <section class="card" aria-label="Plan">
      <header>
        <h2 class="grow">Parse again, or delete</h2>
        <span class="tag">{plan === undefined ? 'not counted yet' : 'counted'}</span>
      </header>
      <div class="body stack">
        {plan !== undefined && <Counted plan={plan} />}
        {run !== undefined && <Progress run={run} />}
        {(error ?? failure) !== undefined && (
          <p role="alert" class="bad">
            {error ?? failure}
          </p>
        )}
        {run !== undefined && run.state !== 'over' && (
          <button class="btn" type="button" onClick={isGoing ? pause : goOn}>
            {isGoing ? 'Pause' : 'Go on'}
          </button>
        )}
        {run === undefined && plan === undefined && (
          <button class="btn" type="button" disabled={isBusy} onClick={look}>
            Count what could be read now
          </button>
        )}
        {run === undefined && plan !== undefined && (
          <>
            <button class="btn primary" type="button" disabled={plan.readable === 0} onClick={() => parse(plan)}>
              Parse {plan.readable.toLocaleString('en')} again
            </button>
            <button class="btn danger" type="button" disabled={plan.matched === 0} onClick={() => setAsked(true)}>
              Delete {plan.matched.toLocaleString('en')}…
            </button>
          </>
        )}
      </div>
      {isAsked && plan !== undefined && (
        <Ask
          title={`Delete ${plan.matched.toLocaleString('en')} callbacks for good?`}
          action={`Delete ${plan.matched.toLocaleString('en')}`}
          isDanger
          typed={plan.matched > MOST_UNTYPED ? String(plan.matched) : undefined}
          onClose={() => setAsked(false)}
          onDo={async (form) => remove(plan, String(form.get('why')).trim())}
        >
          <p>
            They are kept nowhere else. Clickatell was answered 200 for each, so it sends none again.
            {plan.readable > 0 && ` ${plan.readable.toLocaleString('en')} of them could be read now.`}
          </p>
          <label class="field">
            Why, for the audit record
            <input name="why" maxLength={200} required autocomplete="off" placeholder="sent by a scanner" />
          </label>
        </Ask>
      )}
    </section>
  );
};

const Counted = ({ plan: { matched, readable, oldest, bytes } }: { plan: Plan }) => (
  <dl class="sum">
    <dt>Chosen</dt>
    <dd>{matched.toLocaleString('en')}</dd>
    <dt>Still cannot be read</dt>
    <dd>{(matched - readable).toLocaleString('en')}</dd>
    <dt class="total">Can be read now</dt>
    <dd class="total">{readable.toLocaleString('en')}</dd>
    <dt>Bytes</dt>
    <dd>{bytes.toLocaleString('en')}</dd>
    {oldest !== null && (
      <>
        <dt>Oldest</dt>
        <dd>{ago(oldest)}</dd>
      </>
    )}
  </dl>
);

const Progress = ({ run: { what, total, done, parsed, unreadable, state } }: { run: Run }) => (
  <div role="status" class="stack tight">
    <b>
      {state === 'running' ? 'Running' : state === 'paused' ? 'Paused' : 'Done'}: {done.toLocaleString('en')} of{' '}
      {total.toLocaleString('en')}
    </b>
    <progress max={Math.max(total, 1)} value={done} aria-label="How far it is" />
    <p class="small muted">
      {what === 'parse'
        ? `${parsed.toLocaleString('en')} were let in, ${unreadable.toLocaleString('en')} still cannot be read`
        : `${done.toLocaleString('en')} deleted`}
    </p>
  </div>
);
