import type { Condition } from '@clickrelay/client';
import { ago } from '../time.ts';
import { sentence as words } from '../words.ts';
import { Copy } from './copy.tsx';
import { Icon } from './icon.tsx';
import { Empty } from './page-state.tsx';
import { STATES } from './state.tsx';

/** Where a person goes to mend it. */
const pathOf = ({ subject }: Condition): string | undefined => {
  if (subject.kind === 'destination' && subject.id !== null) return `/destinations/${subject.id}`;
  return undefined;
};

/** What needs somebody, worst first, each with its one next step. The words are those of `clickrelay doctor`. */
export const Needs = ({ conditions }: { conditions: readonly Condition[] }) => (
  <section class="card">
    <header>
      <h2>Needs you</h2>
      <span class="count">{conditions.length}</span>
    </header>
    {conditions.length === 0 ? (
      <Empty title="Nothing needs you" />
    ) : (
      conditions.map((condition) => <Need key={`${condition.code} ${condition.subject.id}`} condition={condition} />)
    )}
  </section>
);

const Need = ({ condition }: { condition: Condition }) => {
  const { severity, sentence, since, mend, acknowledged } = condition;
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
        {path !== undefined && (
          <a class="btn s" href={path}>
            Open
          </a>
        )}
      </div>
      <p>
        {words(ago(since))}. {words(mend.text)}
        {acknowledged !== null && ` ${acknowledged.by} is looking at it.`}
      </p>
    </div>
  );
};
