import { describe, expect, it } from 'vitest';
import { channelDeclaration, completeChannel, hideChannel } from '../src/channel.ts';
import { CODES, channel } from './verdicts.ts';

const schema = channelDeclaration(CODES);
const url = 'https://hooks.slack.example/services/T0/B0/canary';
const messagesOf = (declared: Record<string, unknown>): string[] =>
  schema
    .safeParse({ type: 'slack', url, ...declared })
    .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

it('has defaults for all but its type and URL', () => {
  expect(hideChannel(channel({ type: 'slack', url }))).toEqual({
    id: 'ops',
    type: 'slack',
    url: '(hidden)',
    severities: ['critical', 'warning'],
    codes: ['*'],
    groupWait: '30s',
    groupInterval: '5m',
    repeat: { critical: '4h', warning: '24h' },
    quiet: null,
    sendResolved: true,
  });
});

describe('what can never work is refused', () => {
  it.each([
    [{ url: 'hooks.slack.example/canary' }, 'url: url must be an absolute URL'],
    [{ url: 'https://user:canary@hooks.slack.example/' }, 'url: url must hold no user name'],
    [{ codes: ['destinations_*'] }, 'codes.0: must match a code of a condition'],
    [{ codes: ['destination_failin'] }, 'codes.0: must match a code of a condition'],
    [{ severities: ['info'] }, 'severities.0: Invalid option'],
    [{ severities: [] }, 'severities: Too small'],
    [{ groupWait: '30' }, 'groupWait: must be a duration'],
    [{ repeat: { critical: '10s' } }, 'repeat.critical: must be a duration such as 30s, 5m or 4h, from 1m to 30d'],
    [{ quiet: { from: '22:00', to: '22:00', timeZone: 'UTC' } }, 'quiet.to: must not be the time of `from`'],
    [{ quiet: { from: '22:00', to: '07:00', timeZone: 'Mars/Olympus' } }, 'quiet.timeZone: must be a time zone'],
    [{ secret: 'whsec_canary' }, 'secret: secret must be whsec_'],
    [{ secret: `whsec_${'A'.repeat(44)}` }, 'secret: secret is of type webhook only'],
    [{ chanel: '#ops' }, ': Unrecognized key'],
  ])('%j', (declared, message) => {
    const messages = messagesOf(declared);
    expect(messages.join('\n')).toContain(message);
    expect(messages.join('\n')).not.toMatch(/canary/);
  });

  it('but what works is not', () => {
    expect(
      messagesOf({
        codes: ['destination_*', '*'],
        quiet: { from: '22:00', to: '07:00', timeZone: 'Africa/Johannesburg' },
      }),
    ).toEqual([]);
  });
});

describe('secrets', () => {
  it('are generated for a webhook, and kept when they are left out', () => {
    const made = completeChannel('ops', schema.parse({ type: 'webhook', url }), undefined);
    expect(made.generatedSecret).toMatch(/^whsec_/);
    const again = completeChannel(
      'ops',
      schema.parse({ type: 'webhook', secret: '(hidden)', codes: ['silence'] }),
      made.channel,
    );
    expect(again).toEqual({ channel: { ...made.channel, codes: ['silence'] }, generatedSecret: undefined });
    expect(JSON.stringify(hideChannel(made.channel))).not.toMatch(/canary|whsec/);
  });

  it('are not made up, and not taken over by another type', () => {
    const declared = schema.parse({ type: 'teams' });
    expect(() => completeChannel('ops', declared, undefined)).toThrow('there is none to keep');
    expect(() => completeChannel('ops', declared, channel({ type: 'slack', url }))).toThrow('was for another type');
  });
});
