/*
 * The settings of a destination as a form holds them: one text for each, by its place in the declaration (`auth.token`).
 * What a setting may be, the API decides: it checks while one types.
 */

export type Values = Readonly<Record<string, string>>;

export interface FieldSpec {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly placeholder?: string;
  /** `list`: words with commas; `pairs`: a line for each `name: value`. @default text */
  readonly kind?: 'list' | 'number' | 'pairs' | 'json';
  readonly lines?: number;
  readonly choices?: readonly (readonly [value: string, word: string])[];
  readonly isSecret?: boolean;
  readonly isCode?: boolean;
  /** Shown, and sent, only when another field has this value. */
  readonly when?: readonly [name: string, ...values: string[]];
}

export interface FieldGroup {
  readonly title: string;
  /** Closed until it is opened, or holds something. */
  readonly isFolded?: boolean;
  readonly fields: readonly FieldSpec[];
}

const KEEPS = '(hidden) keeps what is there';

const WANTS: FieldGroup = {
  title: 'What it wants',
  fields: [
    {
      name: 'events',
      label: 'Event types',
      kind: 'list',
      placeholder: 'mo*, messageStatusUpdate',
      hint: '* stands for any characters; all when empty',
    },
    { name: 'channels', label: 'Channels', kind: 'list', placeholder: 'whatsapp, sms', hint: 'All when empty' },
    {
      name: 'classes',
      label: 'Classes of status',
      kind: 'list',
      placeholder: 'delivered, read, failed',
      hint: 'Of status updates: pending, delivered, read, failed, unknown; all when empty',
    },
    {
      name: 'filter',
      label: 'Filter',
      lines: 3,
      isCode: true,
      placeholder: "event.data.text.contains('STOP')",
      hint: 'An expression (CEL) over event that must be true',
    },
  ],
};

const PACE: FieldGroup = {
  title: 'Pace',
  isFolded: true,
  fields: [
    { name: 'rate', label: 'Rate', placeholder: '50/s', hint: 'At most so many in a time; no limit when empty' },
    {
      name: 'ordering',
      label: 'Order',
      choices: [
        ['', 'As they come'],
        ['conversation', 'One after the other in each conversation'],
      ],
    },
    {
      name: 'retrySchedule',
      label: 'Waits between attempts',
      placeholder: '0s,5s,2m,1h',
      hint: 'RETRY_SCHEDULE when empty',
    },
  ],
};

const WEBHOOK: readonly FieldGroup[] = [
  {
    title: 'Where events go',
    fields: [
      {
        name: 'url',
        label: 'URL',
        placeholder: 'https://crm.example.com/clickatell',
        hint: 'https, or http for addresses that EGRESS_ALLOW opens',
      },
    ],
  },
  WANTS,
  {
    title: 'What is sent',
    isFolded: true,
    fields: [
      {
        name: 'format',
        label: 'Format',
        choices: [
          ['', 'Our event'],
          ['clickatell', "Clickatell's envelope with one element"],
          ['cloudevents', 'CloudEvent, whole'],
          ['cloudevents-binary', 'CloudEvent, attributes in headers'],
        ],
      },
      {
        name: 'transform',
        label: 'Transform',
        lines: 3,
        isCode: true,
        placeholder: '{"said": data.text}',
        hint: 'JSONata over the event; its result is sent instead',
      },
      {
        name: 'headers',
        label: 'Extra headers',
        kind: 'pairs',
        lines: 2,
        isCode: true,
        placeholder: 'x-api-key: …',
        hint: `One in a line; ${KEEPS}`,
      },
    ],
  },
  {
    title: 'How it recognises us, beside the signature',
    isFolded: true,
    fields: [
      {
        name: 'auth.type',
        label: 'Sign-in',
        choices: [
          ['', 'None'],
          ['bearer', 'A token'],
          ['basic', 'User name and password'],
          ['oauth2', 'OAuth 2 client'],
        ],
      },
      { name: 'auth.token', label: 'Token', isSecret: true, hint: KEEPS, when: ['auth.type', 'bearer'] },
      { name: 'auth.username', label: 'User name', when: ['auth.type', 'basic'] },
      { name: 'auth.password', label: 'Password', isSecret: true, hint: KEEPS, when: ['auth.type', 'basic'] },
      { name: 'auth.tokenUrl', label: 'Token URL', when: ['auth.type', 'oauth2'] },
      { name: 'auth.clientId', label: 'Client id', when: ['auth.type', 'oauth2'] },
      { name: 'auth.clientSecret', label: 'Client secret', isSecret: true, hint: KEEPS, when: ['auth.type', 'oauth2'] },
      {
        name: 'auth.secretIn',
        label: 'Send the secret in',
        choices: [
          ['', 'The header'],
          ['body', 'The form'],
        ],
        when: ['auth.type', 'oauth2'],
      },
      { name: 'auth.scope', label: 'Scope', when: ['auth.type', 'oauth2'] },
      { name: 'auth.audience', label: 'Audience', when: ['auth.type', 'oauth2'] },
    ],
  },
  {
    title: 'Certificate and proxy',
    isFolded: true,
    fields: [
      { name: 'tls.cert', label: 'Our certificate (PEM)', lines: 2, isCode: true },
      { name: 'tls.key', label: 'Its private key (PEM)', lines: 2, isCode: true, hint: KEEPS },
      {
        name: 'tls.ca',
        label: 'Authorities to trust (PEM)',
        lines: 2,
        isCode: true,
        hint: 'In place of the usual ones',
      },
      { name: 'proxy.url', label: 'Proxy', placeholder: 'http://proxy.example.com:3128' },
      { name: 'proxy.username', label: 'User name of the proxy' },
      { name: 'proxy.password', label: 'Password of the proxy', isSecret: true, hint: KEEPS },
    ],
  },
  {
    title: 'When it counts as delivered',
    isFolded: true,
    fields: [
      { name: 'successWhen.contains', label: 'The 2xx answer must hold this text' },
      {
        name: 'successWhen.pointer',
        label: 'Or have at this place',
        placeholder: '/result/ok',
        hint: 'A JSON Pointer into the answer',
      },
      {
        name: 'successWhen.equals',
        label: 'this value',
        kind: 'json',
        placeholder: 'true',
        hint: 'As JSON: true, 0, "ok"',
      },
      { name: 'timeoutMs', label: 'Time limit, in ms', kind: 'number', placeholder: '15000' },
      { name: 'concurrency', label: 'Connections at once', kind: 'number', placeholder: '32' },
    ],
  },
  PACE,
];

const PULL: readonly FieldGroup[] = [WANTS, PACE];

/** A destination of a loaded adapter: only the adapter knows its settings. */
const OTHER: readonly FieldGroup[] = [
  WANTS,
  {
    title: 'Settings of its adapter',
    fields: [
      {
        name: 'settings',
        label: 'Settings, as JSON',
        kind: 'json',
        lines: 8,
        isCode: true,
        placeholder: '{}',
        hint: KEEPS,
      },
    ],
  },
];

export const groupsOf = (type: string): readonly FieldGroup[] =>
  type === 'webhook' ? WEBHOOK : type === 'pull' ? PULL : OTHER;

export const isShown = ({ when }: FieldSpec, values: Values): boolean =>
  when === undefined || when.slice(1).includes(values[when[0]] ?? '');

/** What the form does not hold: the state, and the signing secret, which is rotated. */
const NOT_SETTINGS = new Set(['id', 'type', 'paused', 'held', 'revision', 'warnings', 'secret']);

type Settings = Readonly<Record<string, unknown>>;

const at = (settings: Settings, name: string): unknown =>
  name.split('.').reduce<unknown>((inner, part) => (inner as Settings | undefined)?.[part], settings);

const textOf = (value: unknown, kind: FieldSpec['kind']): string => {
  if (value === undefined || value === null) return '';
  if (kind === 'list') return (value as string[]).join(', ');
  if (kind === 'pairs')
    return Object.entries(value as object)
      .map(([name, text]) => `${name}: ${text}`)
      .join('\n');
  return kind === 'json' ? JSON.stringify(value, null, 2) : String(value);
};

/** What is the default stands as an empty field, or as its first choice. */
const isDefault = (name: string, value: unknown): boolean =>
  (name === 'ordering' && value === 'none') ||
  (name === 'format' && value === 'event') ||
  (name === 'auth.secretIn' && value === 'header');

export const valuesOf = (settings: Settings): Values => {
  const fields = groupsOf(String(settings['type'])).flatMap((group) => group.fields);
  const known = new Set(fields.map(({ name }) => name.split('.')[0]));
  const others = Object.entries(settings).filter(([name]) => !NOT_SETTINGS.has(name) && !known.has(name));
  const all: Settings = { ...settings, settings: Object.fromEntries(others) };
  return Object.fromEntries(
    fields.map(({ name, kind }) => [name, isDefault(name, at(all, name)) ? '' : textOf(at(all, name), kind)]),
  );
};

const parseText = (text: string, kind: FieldSpec['kind']): unknown => {
  if (kind === 'list')
    return text
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== '');
  if (kind === 'number') return Number.isNaN(Number(text)) ? text : Number(text);
  if (kind === 'json') {
    try {
      return JSON.parse(text);
    } catch {
      // As it is: the API says what is wrong with it.
      return text;
    }
  }
  if (kind !== 'pairs') return text;
  const pairs = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(/:(.*)/s));
  return Object.fromEntries(pairs.map(([name = '', value = '']) => [name.trim().toLowerCase(), value.trim()]));
};

/** What the form declares. A field that is empty is left out. */
export const declarationOf = (type: string, values: Values): Record<string, unknown> => {
  const declared: Record<string, unknown> = { type };
  for (const spec of groupsOf(type).flatMap((group) => group.fields)) {
    const text = values[spec.name]?.trim() ?? '';
    if (text === '' || !isShown(spec, values)) continue;
    const value = parseText(text, spec.kind);
    const [first = '', second] = spec.name.split('.');
    if (first === 'settings') Object.assign(declared, value);
    else if (second === undefined) declared[first] = value;
    else declared[first] = { ...(declared[first] as object), [second]: value };
  }
  return declared;
};

/** What differs, as `PATCH` takes it: null takes a setting away. */
export const changesBetween = (type: string, before: Values, after: Values): Record<string, unknown> => {
  const [was, is] = [declarationOf(type, before), declarationOf(type, after)];
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  const changed = names.filter((name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]));
  return Object.fromEntries(
    changed.map((name) => {
      if (name !== 'headers' || is[name] === undefined) return [name, is[name] ?? null];
      const gone = Object.keys((was[name] ?? {}) as object).filter((header) => !(header in (is[name] as object)));
      return [name, { ...(is[name] as object), ...Object.fromEntries(gone.map((header) => [header, null])) }];
    }),
  );
};
