import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

export interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: ComponentChildren;
  /** What the API says of it. */
  readonly error?: string | undefined;
  /** More than one line. */
  readonly lines?: number;
  readonly choices?: readonly (readonly [value: string, word: string])[];
  readonly placeholder?: string;
  readonly isSecret?: boolean;
  readonly isCode?: boolean;
}

/** One setting: its name, its value, what it means, and what is wrong with it, which a screen reader hears together. */
export const Field = (props: FieldProps) => {
  const { label, value, onChange, hint, error, lines, choices, placeholder, isSecret = false, isCode = false } = props;
  const id = useId();
  const common = {
    id,
    value,
    placeholder,
    'aria-invalid': error !== undefined,
    'aria-describedby': `${id}-says`,
    class: isCode ? 'mono' : undefined,
    spellcheck: false,
    autocomplete: 'off' as const,
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {choices !== undefined ? (
        <select {...common} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
          {choices.map(([one, word]) => (
            <option key={one} value={one}>
              {word}
            </option>
          ))}
        </select>
      ) : lines !== undefined ? (
        <textarea {...common} rows={lines} onInput={({ currentTarget }) => onChange(currentTarget.value)} />
      ) : isSecret ? (
        <input
          {...common}
          type="password"
          autocomplete="new-password"
          onInput={({ currentTarget }) => onChange(currentTarget.value)}
        />
      ) : (
        <input {...common} type="text" onInput={({ currentTarget }) => onChange(currentTarget.value)} />
      )}
      <div id={`${id}-says`} class="small">
        {error !== undefined && <p class="bad">{error}</p>}
        {hint !== undefined && <p class="muted">{hint}</p>}
      </div>
    </div>
  );
};
