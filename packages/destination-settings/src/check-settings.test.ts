import { describe, expect, it } from 'vitest';
import { createDestinationSettings } from './create-destination-settings.ts';

const { declaration, warningsOf } = createDestinationSettings([]);

const refusalOf = (settings: object): string | undefined =>
  declaration.safeParse({ id: 'crm', type: 'pull', ...settings }).error?.issues[0]?.message;
const warned = (settings: object, egressAllow: string[] = []): string[] => {
  const own = createDestinationSettings([], { egressAllow });
  return own.warningsOf(own.declaration.parse({ id: 'crm', type: 'pull', ...settings }));
};

const loops = (depth: number): string => (depth === 0 ? 'true' : `[0,0,0,0,0,0,0,0].all(a, ${loops(depth - 1)})`);

describe('what can never be meant is refused', () => {
  it.each([
    [
      { events: ['moText', 'moTxt'] },
      'moTxt is no event type that is known; did you mean moText? If Clickatell added it, write moTxt*',
    ],
    [
      { events: ['messagestatusupdate'] },
      'messagestatusupdate is no event type that is known; did you mean messageStatusUpdate?',
    ],
    [{ channels: ['Whatsap'] }, 'whatsap is no channel that is known; did you mean whatsapp?'],
    [{ filter: 'event.typo == 1' }, 'an event has no field typo; did you mean event.type?, at column 1'],
    [{ filter: "true && event.sender == 'x'" }, 'an event has no field sender; it has id, type, '],
    [{ filter: "event['tpye'] == 'x'" }, 'did you mean event.type?'],
    [
      { filter: loops(7) },
      'it takes more than 50000 steps for a sample of moText: put fewer loops into loops, and build no long lists and texts, at column 1',
    ],
    [{ filter: `event.type == 'messageStatusUpdate' && ${loops(7)}` }, 'for a sample of messageStatusUpdate'],
  ])('%j', (settings, message) => {
    expect(refusalOf(settings)).toContain(message);
  });

  it.each([
    [{ events: ['mo*', 'moNewThing', 'moTxt*'] }],
    [{ channels: ['rcs', 'mms', 'SMS'] }],
    [{ filter: 'has(event.typo) || has(event.valid) && event.valid' }],
    [{ filter: "has(event.raw.typo) && event.raw.typo == 1 && event.data.extensions.anything == 'x'" }],
    [{ filter: '[event].exists(it, it.type == "moText") && event[event.type] == 1' }],
    [{ filter: "event.data.text.contains('👋')" }],
  ])('%j is not', (settings) => {
    expect(refusalOf(settings)).toBeUndefined();
  });
});

describe('what will probably not work is told', () => {
  it.each([
    [{ events: ['moNewThing', 'mo*'] }, ['no known event type matches moNewThing; known are moText, ']],
    [{ channels: ['rcs', 'sms'] }, ['rcs is no channel that is known; known are sms, whatsapp']],
    [{ filter: 'has(event.typo)' }, ['the filter asks for event.typo, which no event has']],
    [
      { filter: "event.data.txt == 'x'" },
      ['the filter asks for event.data.txt, which no event has; did you mean event.data.text?'],
    ],
    [
      { filter: "event.type in ['moTxt', 'moMedia']" },
      ['the filter compares event.type with moTxt; did you mean moText?'],
    ],
    [{ filter: "event.data.text == 'x' && event.raw.typo == 1" }, []],
    [{}, []],
  ])('%j', (settings, warnings) => {
    const told = warned(settings);
    expect(told).toHaveLength(warnings.length);
    for (const [index, warning] of warnings.entries()) expect(told[index]).toContain(warning);
  });

  const refused = (host: string, range: string): string =>
    `${host} is a private or reserved address, which EGRESS_ALLOW does not open here; nothing is delivered unless the worker is started with EGRESS_ALLOW=${range}`;
  it.each([
    ['http://127.0.0.1:9000/x?key=canary', [], [refused('127.0.0.1:9000', '127.0.0.1/32')]],
    ['https://localhost/', [], [refused('localhost', '127.0.0.1/32')]],
    ['https://[::1]/', [], [refused('[::1]', '::1/128')]],
    ['https://169.254.169.254/', ['10.0.0.0/8'], [refused('169.254.169.254', '169.254.169.254/32')]],
    ['http://127.0.0.1:9000/', ['127.0.0.0/8'], []],
    [
      'http://crm.example.com/',
      [],
      ['crm.example.com is called over https only: write https://, or open its address with EGRESS_ALLOW'],
    ],
    [
      'http://8.8.8.8/',
      ['10.0.0.0/8'],
      ['8.8.8.8 is called over https only: write https://, or open its address with EGRESS_ALLOW'],
    ],
    // Its address may be one of those that are opened.
    ['http://crm.internal/', ['10.0.0.0/8'], []],
    ['https://crm.example.com/', [], []],
  ])('%s, with EGRESS_ALLOW=%j', (url, egressAllow, warnings) => {
    expect(warned({ type: 'webhook', url }, egressAllow)).toEqual(warnings);
  });

  it('of the address where a token comes from, too', () => {
    const auth = { type: 'oauth2', tokenUrl: 'https://10.0.0.1/token', clientId: 'us', clientSecret: 'canary' };
    expect(warned({ type: 'webhook', url: 'https://crm.example.com/', auth })).toEqual([
      refused('10.0.0.1', '10.0.0.1/32'),
    ]);
  });

  it('needs no knowledge of a loaded adapter', () => {
    expect(warningsOf(declaration.parse({ id: 'crm', type: 'pull' }))).toEqual([]);
  });
});
