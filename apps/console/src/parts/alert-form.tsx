import type { AlertChannel, AlertChannelDeclaration } from '@clickrelay/client';
import { useState } from 'preact/hooks';
import { call } from '../session.ts';
import { type Says, saysOf } from './destination-form.tsx';
import { Field } from './field.tsx';
import { say } from './live-region.tsx';
import { ShownOnce } from './shown-once.tsx';

const TYPES = [
  ['slack', 'Slack, Mattermost, Rocket.Chat'],
  ['teams', 'Microsoft Teams'],
  ['discord', 'Discord'],
  ['webhook', 'A webhook of yours'],
] as const;

const TOLD = [
  ['critical,warning', 'Everything that needs a person'],
  ['critical', 'Only what is critical'],
] as const;

type Values = Readonly<Record<string, string>>;
type Quiet = NonNullable<AlertChannelDeclaration['quiet']>;

/** Of a new channel an empty field is left out: the API fills it in. */
const NEW: Values = {
  id: '',
  type: 'slack',
  url: '',
  severities: 'critical,warning',
  codes: '',
  groupWait: '',
  groupInterval: '',
  'repeat.critical': '',
  'repeat.warning': '',
  'quiet.from': '',
  'quiet.to': '',
  'quiet.timeZone': Intl.DateTimeFormat().resolvedOptions().timeZone,
  'quiet.critical': '',
  sendResolved: '',
};

const quietOf = (quiet: AlertChannel['quiet']): Values =>
  quiet === null
    ? {}
    : {
        'quiet.from': quiet.from,
        'quiet.to': quiet.to,
        'quiet.timeZone': quiet.timeZone,
        'quiet.critical': quiet.critical ? 'yes' : '',
      };

const valuesOf = (channel: AlertChannel | undefined): Values => {
  if (channel === undefined) return NEW;
  const { id, type, severities, codes, groupWait, groupInterval, repeat, quiet, sendResolved } = channel;
  return {
    ...NEW,
    id,
    type,
    severities: severities.length > 1 ? 'critical,warning' : severities.join(','),
    codes: codes.join(', '),
    groupWait,
    groupInterval,
    'repeat.critical': repeat.critical,
    'repeat.warning': repeat.warning,
    ...quietOf(quiet),
    sendResolved: sendResolved ? '' : 'no',
  };
};

/** Without the fields that are empty. */
const filled = (fields: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, text = '']) => (text.trim() === '' ? [] : [[name, text.trim()]])),
  );

const declareQuiet = (values: Values, channel: AlertChannel | undefined): Quiet | null => {
  const { 'quiet.from': from = '', 'quiet.to': to = '', 'quiet.timeZone': timeZone = '' } = values;
  if (from === '' && to === '') return null;
  const days = channel?.quiet?.days;
  return {
    from,
    to,
    timeZone,
    critical: values['quiet.critical'] === 'yes',
    ...(days !== undefined && { days: days as NonNullable<Quiet['days']> }),
  };
};

const declare = (values: Values, channel: AlertChannel | undefined): AlertChannelDeclaration => {
  const { type, url, codes = '', severities = '', groupWait, groupInterval } = values;
  const named = codes
    .split(',')
    .map((code) => code.trim())
    .filter((code) => code !== '');
  return {
    type: type as AlertChannelDeclaration['type'],
    ...filled({ url, groupWait, groupInterval }),
    severities: severities.split(',') as ('critical' | 'warning')[],
    ...(named.length > 0 && { codes: named }),
    repeat: filled({ critical: values['repeat.critical'], warning: values['repeat.warning'] }),
    quiet: declareQuiet(values, channel),
    sendResolved: values['sendResolved'] !== 'no',
  };
};

interface AlertFormProps {
  /** Undefined: a new one. */
  readonly channel: AlertChannel | undefined;
  readonly onClose: () => void;
}

/** Adds or changes a channel of alerts. Its address is a secret: it is never shown again. */
export const AlertForm = ({ channel, onClose }: AlertFormProps) => {
  const [values, setValues] = useState(() => valuesOf(channel));
  const [says, setSays] = useState<Says>({});
  const [told, setTold] = useState<{ secret: string | undefined; warnings: readonly string[] }>();
  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setSays({});
    const id = (values['id'] ?? '').trim();
    if (id === '') return setSays({ id: 'must be given: lower-case letters, digits and -' });
    try {
      const put = await call('PUT /v1/alerts/channels/{id}', { path: { id }, body: declare(values, channel) });
      const secret = put.secret === '(hidden)' ? undefined : put.secret;
      say(`The channel ${id} is saved: send it a test`);
      if (secret === undefined && put.warnings.length === 0) onClose();
      else setTold({ secret, warnings: put.warnings });
    } catch (error) {
      setSays(saysOf(error));
    }
  };
  const field = (name: string, rest: Omit<Parameters<typeof Field>[0], 'value' | 'onChange'>) => (
    <Field
      {...rest}
      value={values[name] ?? ''}
      error={says[name]}
      onChange={(value) => setValues({ ...values, [name]: value })}
    />
  );
  const shownAt = Object.keys(values);
  const others = Object.entries(says).filter(([path]) => !shownAt.includes(path));
  return (
    <form class="card form" noValidate onSubmit={save}>
      <header>
        <h2 class="grow">{channel === undefined ? 'New channel' : `Change ${channel.id}`}</h2>
        <button class="btn s" type="button" onClick={onClose}>
          Close
        </button>
      </header>
      <div class="body fields">
        {channel === undefined &&
          field('id', { label: 'Name', placeholder: 'ops', hint: 'Lower-case letters, digits and -' })}
        {field('type', { label: 'What takes the message', choices: TYPES })}
        {field('url', {
          label: 'URL to post to',
          isSecret: true,
          placeholder: 'https://hooks.slack.com/…',
          hint: channel === undefined ? 'A secret: it is never shown again' : 'Empty: as it is',
        })}
        {field('severities', { label: 'It is told', choices: TOLD })}
      </div>
      <details>
        <summary>
          <h2>When, and how often</h2>
        </summary>
        <div class="body fields">
          {field('codes', {
            label: 'Which conditions',
            placeholder: '*',
            hint: 'Codes with commas; * stands for any characters',
          })}
          {field('groupWait', { label: 'First news waits for more', placeholder: '30s' })}
          {field('groupInterval', { label: 'Least time between two messages', placeholder: '5m' })}
          {field('repeat.critical', { label: 'Told again, while critical, after', placeholder: '4h' })}
          {field('repeat.warning', { label: 'Told again, while a warning, after', placeholder: '24h' })}
          {field('quiet.from', { label: 'Quiet from', placeholder: '22:00', hint: 'Nothing that can wait' })}
          {field('quiet.to', { label: 'Quiet until', placeholder: '07:00' })}
          {field('quiet.timeZone', { label: 'In the time zone' })}
          {field('quiet.critical', {
            label: 'What is critical meanwhile',
            choices: [
              ['', 'Is told'],
              ['yes', 'Waits too'],
            ],
          })}
          {field('sendResolved', {
            label: 'When something has ended',
            choices: [
              ['', 'It is told'],
              ['no', 'It is not told'],
            ],
          })}
        </div>
      </details>
      <div class="body stack">
        {others.map(([path, message]) => (
          <p key={path} role="alert" class="bad">
            {path === '' ? message : `${path}: ${message}`}
          </p>
        ))}
        {told?.warnings.map((warning) => (
          <p key={warning} class="warn">
            {warning}
          </p>
        ))}
        {told?.secret !== undefined && <ShownOnce text={told.secret} label="signing secret" />}
        <div class="chips">
          <span class="grow" />
          <button class="btn primary" type="submit">
            Save the channel
          </button>
        </div>
      </div>
    </form>
  );
};
