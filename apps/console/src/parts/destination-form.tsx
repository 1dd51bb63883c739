import { ApiError, type DestinationDeclaration } from '@clickrelay/client';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { declarationOf, type FieldSpec, groupsOf, isShown, type Values } from '../destination-fields.ts';
import { call } from '../session.ts';
import { sentence, wordsOf } from '../words.ts';
import { Field } from './field.tsx';

/** How long after the last key the API is asked, in ms. */
const QUIET_MS = 350;

/** What the API says, by field; under `''` what belongs to none. */
export type Says = Readonly<Record<string, string>>;

/** @param prefix what the API puts before the name of a field */
export const saysOf = (error: unknown, prefix = ''): Says => {
  if (!(error instanceof ApiError) || error.issues.length === 0) return { '': wordsOf(error) };
  const issues = error.issues.map(({ path, message }) => [
    path.startsWith(prefix) ? path.slice(prefix.length) : path,
    message,
  ]);
  // What does not fit is said at its field; any other refusal is a sentence of its own.
  const whole = error.code === 'invalid_request' ? {} : { '': sentence(error.message) };
  return { ...whole, ...Object.fromEntries(issues) };
};

interface Checked {
  readonly says: Says;
  readonly warnings: readonly string[];
  /** The settings that would change. */
  readonly fields: readonly string[];
}

const NOTHING: Checked = { says: {}, warnings: [], fields: [] };

/** Asks the API, while one types, what it would say: filter, transform and addresses too. It changes nothing. */
const useCheck = (id: string, type: string, values: Values): Checked => {
  const [checked, setChecked] = useState<Checked>(NOTHING);
  const declared = JSON.stringify(declarationOf(type, values));
  useEffect(() => {
    let isOver = false;
    const timer = window.setTimeout(async () => {
      const declaration = { ...(JSON.parse(declared) as DestinationDeclaration), id: id === '' ? 'new' : id };
      try {
        const { items } = await call('POST /v1/destinations/apply', {
          body: { destinations: [declaration], dryRun: true },
        });
        const [one] = items;
        if (!isOver) setChecked({ says: {}, warnings: one?.warnings ?? [], fields: one?.fields ?? [] });
      } catch (error) {
        if (!isOver) setChecked({ ...NOTHING, says: saysOf(error, 'destinations.0.') });
      }
    }, QUIET_MS);
    return () => {
      isOver = true;
      window.clearTimeout(timer);
    };
  }, [id, declared]);
  return checked;
};

export interface DestinationFormProps {
  readonly id: string;
  readonly type: string;
  readonly values: Values;
  readonly onChange: (values: Values) => void;
  /** What the API said when it refused the form itself. */
  readonly refused: Says;
  /** What comes before the settings: id and kind of a new one. */
  readonly children?: ComponentChildren;
  readonly action: string;
  readonly isBusy: boolean;
  readonly onSubmit: () => void;
}

/** Says what is wrong with a field, or with something inside it: `events.0` belongs to `events`. */
const sayFor = (says: Says, name: string): string | undefined =>
  Object.entries(says).find(([path]) => path === name || path.startsWith(`${name}.`))?.[1];

/** What belongs to a group of fields as a whole stands at the first of them: `auth` at `auth.type`. */
const groupSays = (says: Says, { name }: FieldSpec, fields: readonly FieldSpec[]): string | undefined => {
  const [group = ''] = name.split('.');
  const first = fields.find((one) => one.name.startsWith(`${group}.`));
  return first?.name === name ? says[group] : undefined;
};

export const DestinationForm = (props: DestinationFormProps) => {
  const { id, type, values, onChange, refused, children, action, isBusy, onSubmit } = props;
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const checked = useCheck(id, type, values);
  const groups = groupsOf(type);
  const fields = groups.flatMap((group) => group.fields);
  const isRefused = Object.keys(refused).length > 0;
  const says = isRefused ? { ...refused, ...checked.says } : checked.says;
  const errorOf = (spec: FieldSpec): string | undefined => {
    // Nobody is told that a field is empty before having been there.
    if (!isRefused && !touched.has(spec.name) && (values[spec.name] ?? '') === '') return undefined;
    return sayFor(says, spec.name) ?? groupSays(says, spec, fields);
  };
  const named = (path: string): boolean => fields.some(({ name }) => name.split('.')[0] === path.split('.')[0]);
  const others = Object.entries(says).filter(([path]) => path !== 'id' && path !== 'type' && !named(path));
  const field = (spec: FieldSpec) => (
    <Field
      key={spec.name}
      {...spec}
      value={values[spec.name] ?? ''}
      error={errorOf(spec)}
      onChange={(value) => {
        setTouched(new Set([...touched, spec.name]));
        onChange({ ...values, [spec.name]: value });
      }}
    />
  );
  return (
    <form
      class="card form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
      {groups.map((group) => {
        const shown = group.fields.filter((spec) => isShown(spec, values));
        const isFilled = shown.some(({ name }) => (values[name] ?? '') !== '');
        const isWrong = shown.some(({ name }) => sayFor(refused, name) !== undefined);
        return (
          <Fold key={group.title} title={group.title} isOpen={!group.isFolded || isFilled || isWrong}>
            {shown.map(field)}
          </Fold>
        );
      })}
      <div class="body stack">
        {others.map(([path, message]) => (
          <p key={path} role="alert" class="bad">
            {path === '' ? message : `${path}: ${message}`}
          </p>
        ))}
        {checked.warnings.map((warning) => (
          <p key={warning} class="warn">
            {warning}
          </p>
        ))}
        <div class="chips">
          <span class="grow small muted" role="status">
            {checked.fields.length > 0 && `Would change: ${checked.fields.join(', ')}`}
          </span>
          <button class="btn primary" type="submit" disabled={isBusy}>
            {action}
          </button>
        </div>
      </div>
    </form>
  );
};

/** Stays open once it was, also when its last field is emptied. */
const Fold = ({ title, isOpen, children }: { title: string; isOpen: boolean; children: ComponentChildren }) => {
  const [wasOpen, setWasOpen] = useState(isOpen);
  useEffect(() => {
    if (isOpen) setWasOpen(true);
  }, [isOpen]);
  return (
    <details open={wasOpen} onToggle={({ currentTarget }) => setWasOpen(currentTarget.open)}>
      <summary>
        <h2>{title}</h2>
      </summary>
      <div class="body fields">{children}</div>
    </details>
  );
};
