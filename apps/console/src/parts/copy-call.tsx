import { copyText } from './copy.tsx';
import { Icon } from './icon.tsx';

export interface CopyCallProps {
  /** Of the API: `/v1/deliveries`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** The same by the command line, without the program's name; undefined when there is none. */
  readonly command?: string | undefined;
}

/** For a shell. The key stays a variable: no secret is ever copied. */
const curlOf = ({ path, query = {} }: Pick<CopyCallProps, 'path' | 'query'>): string => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `curl -H "Authorization: Bearer $KEY" '${location.origin}${path}${text === '' ? '' : `?${text}`}'`;
};

/** An argument as a shell takes it. */
const quoted = (text: string): string => (/^[\w.:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** `deliveries --state pending`: options that are not given are left out. */
export const commandOf = (name: string, options: Readonly<Record<string, string | undefined>>): string =>
  [
    name,
    ...Object.entries(options).flatMap(([option, value]) =>
      value === undefined || value === '' ? [] : [`--${option} ${quoted(value)}`],
    ),
  ].join(' ');

/** What is on the screen, for a terminal. */
export const CopyCall = ({ path, query, command }: CopyCallProps) => (
  <span class="copies">
    <button
      class="btn s quiet"
      type="button"
      onClick={() => copyText(curlOf({ path, query: query ?? {} }), 'curl command')}
    >
      <Icon name="copy" />
      Copy as curl
    </button>
    {command !== undefined && (
      <button class="btn s quiet" type="button" onClick={() => copyText(`clickrelay ${command}`, 'CLI command')}>
        <Icon name="copy" />
        Copy as CLI command
      </button>
    )}
  </span>
);
