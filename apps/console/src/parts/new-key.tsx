import { useState } from 'preact/hooks';
import { SCOPE_WORDS, SCOPES, type Scope } from '../scopes.ts';
import { call, session } from '../session.ts';
import { type Says, saysOf } from './destination-form.tsx';
import { Field } from './field.tsx';
import { ShownOnce } from './shown-once.tsx';

interface NewKeyProps {
  /** A pull destination that it is to lease from. */
  readonly lease: string | undefined;
  readonly onMade: () => void;
}

/** Makes a key that may do what is chosen, and no more. It is shown once. */
export const NewKey = ({ lease, onMade }: NewKeyProps) => {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly Scope[]>(lease === undefined ? ['read'] : ['lease']);
  const [destinations, setDestinations] = useState(lease ?? '');
  const [made, setMade] = useState<string>();
  const [says, setSays] = useState<Says>({});
  const own = session.value?.scopes ?? [];
  const bound = scopes.includes('lease')
    ? destinations
        .split(',')
        .map((one) => one.trim())
        .filter(Boolean)
    : [];
  const make = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setSays({});
    setMade(undefined);
    try {
      const body = { name, scopes: [...scopes], ...(bound.length > 0 && { destinations: bound }) };
      setMade((await call('POST /v1/keys', { body })).key);
      onMade();
    } catch (error) {
      setSays(saysOf(error));
    }
  };
  const toggle = (scope: Scope): void =>
    setScopes(scopes.includes(scope) ? scopes.filter((one) => one !== scope) : [...scopes, scope]);
  const others = Object.entries(says).filter(([path]) => path !== 'name' && !path.startsWith('destinations'));
  return (
    <form class="body stack" noValidate onSubmit={make}>
      <h3>Make a key</h3>
      <Field
        label="Name: who or what uses it"
        value={name}
        onChange={setName}
        placeholder="anna"
        error={says['name']}
      />
      <fieldset class="stack tight">
        <legend>What it may do</legend>
        {SCOPES.filter((scope) => own.includes(scope)).map((scope) => (
          <label class="kind" key={scope}>
            <input type="checkbox" checked={scopes.includes(scope)} onChange={() => toggle(scope)} />
            <span>
              {SCOPE_WORDS[scope]} <span class="muted">({scope})</span>
            </span>
          </label>
        ))}
      </fieldset>
      {scopes.includes('lease') && (
        <Field
          label="From which pull destinations"
          value={destinations}
          onChange={setDestinations}
          placeholder="support-bot, n8n-*"
          hint="With commas; * stands for any characters"
          error={Object.entries(says).find(([path]) => path.startsWith('destinations'))?.[1]}
        />
      )}
      {others.map(([path, message]) => (
        <p key={path} role="alert" class="bad">
          {path === '' ? message : `${path}: ${message}`}
        </p>
      ))}
      <button class="btn" type="submit">
        Make it
      </button>
      {made !== undefined && <ShownOnce text={made} label="key" />}
    </form>
  );
};
