import type { Condition } from '@clickrelay/client';
import { useState } from 'preact/hooks';
import { call, may } from '../session.ts';
import { ago, clockTime } from '../time.ts';
import { sentence as words, wordsOf } from '../words.ts';
import { Copy } from './copy.tsx';
import { Ask } from './dialog.tsx';
import { Icon } from './icon.tsx';
import { say } from './live-region.tsx';
import { Empty } from './page-state.tsx';
import { STATES } from './state.tsx';

/** Where a person goes to mend it. */
const pathOf = ({ code, subject }: Condition): string | undefined => {
  if (subject.kind === 'destination' && subject.id !== null) return `/destinations/${subject.id}`;
  if (subject.kind === 'channel') return '/alerts';
  return code.startsWith('quarantine') ? '/quarantine' : undefined;
};

const keyOf = ({ code, subject }: Condition): string => `${code} ${subject.kind} ${subject.id}`;

interface NeedsProps {
  /** What needs somebody, the worst first. */
  readonly open: readonly Condition[];
  /** What somebody looks at already. */
  readonly known: readonly Condition[];
  readonly onChange: () => void;
}

/** What needs somebody, worst first, each with its one next step. The words are those of `clickrelay doctor`. */
export const Needs = ({ open, known, onChange }: NeedsProps) => (
  <section class="card">
    <header>
      <h2>Needs you</h2>
      <span class="count">{open.length}</span>
    </header>
    {open.length === 0 ? (
      <Empty title="Nothing needs you" />
    ) : (
      open.map((condition) => <Need key={keyOf(condition)} condition={condition} onChange={onChange} />)
    )}
    {known.length > 0 && (
      <>
        <header>
          <h2>Somebody is looking at it</h2>
          <span class="count">{known.length}</span>
        </header>
        {known.map((condition) => (
          <Known key={keyOf(condition)} condition={condition} onChange={onChange} />
        ))}
      </>
    )}
  </section>
);

interface OneProps {
  readonly condition: Condition;
  readonly onChange: () => void;
}

const Need = ({ condition, onChange }: OneProps) => {
  const { severity, sentence, since, mend } = condition;
  const [isAsked, setAsked] = useState(false);
  const { icon, tone, word } = STATES[severity];
  const path = pathOf(condition);
  return (
    <div class="need">
      <Icon name={icon} class={tone} />
      <h3>
        <span class="sr">{word}: </span>
        {words(sentence, condition.subject.id)}
      </h3>
      <div class="do">
        {mend.command !== null && <Copy text={mend.command} label={`command: ${mend.command}`} />}
        {may('admin') && (
          <button class="btn s" type="button" onClick={() => setAsked(true)}>
            I know…
          </button>
        )}
        {path !== undefined && (
          <a class="btn s" href={path}>
            Open
          </a>
        )}
      </div>
      <p>
        {words(ago(since))}. {words(mend.text)}
      </p>
      {isAsked && (
        <Acknowledge
          condition={condition}
          onClose={() => {
            setAsked(false);
            onChange();
          }}
        />
      )}
    </div>
  );
};

interface AcknowledgeProps {
  readonly condition: Condition;
  readonly onClose: () => void;
}

const Acknowledge = ({ condition: { code, subject, sentence }, onClose }: AcknowledgeProps) => (
  <Ask
    title="You are looking at it?"
    action="I am looking at it"
    onClose={onClose}
    onDo={(form) => {
      const [span, note] = [String(form.get('for')), String(form.get('note')).trim()];
      return call('POST /v1/health/acknowledge', {
        body: { code, subject, for: span === '' ? null : span, note: note === '' ? null : note },
      });
    }}
  >
    <p>
      <b>{words(sentence, subject.id)}</b>
    </p>
    <p>It stays listed, and alerts nobody until then.</p>
    <label class="field">
      Until
      <select name="for">
        <option value="2h">2 hours from now</option>
        <option value="8h">8 hours from now</option>
        <option value="24h">tomorrow at this time</option>
        <option value="7d">7 days from now</option>
        <option value="">it ends</option>
      </select>
    </label>
    <label class="field">
      Note for others
      <input name="note" maxLength={200} autocomplete="off" placeholder="the vendor is told" />
    </label>
  </Ask>
);

const Known = ({ condition, onChange }: OneProps) => {
  const { code, subject, sentence, acknowledged } = condition;
  const takeBack = async (): Promise<void> => {
    try {
      await call('POST /v1/health/withdraw', { body: { code, subject } });
      say('It needs somebody again');
    } catch (error) {
      say(wordsOf(error));
    }
    onChange();
  };
  const until = acknowledged?.until ?? null;
  return (
    <div class="need">
      <Icon name="eye" class="idle" />
      <h3>{words(sentence, subject.id)}</h3>
      <div class="do">
        {may('admin') && (
          <button class="btn s" type="button" onClick={takeBack}>
            Take back
          </button>
        )}
      </div>
      <p>
        {acknowledged?.by}, {until === null ? 'until it ends' : `until ${clockTime(until, { millis: false })}`}
        {acknowledged?.note != null && `: ${acknowledged.note}`}
      </p>
    </div>
  );
};
