import { describe, expect, it } from 'vitest';
import { RECEIVED_AT } from '../test/events.ts';
import { type LoggedEvent, restoreEvent, splitCallback } from './event.ts';

const split = (envelope: object): LoggedEvent => {
  const [logged] = splitCallback(JSON.stringify(envelope), RECEIVED_AT);
  if (logged === undefined) throw new Error('it has one event');
  return logged;
};
const element = { messageId: 'm1', from: '1', to: '2', content: 'hi', channel: 'sms' };

describe('a name that each event of a callback has', () => {
  it('is kept as it is up to 256 characters', () => {
    const name = 'n'.repeat(256);
    const { event } = split({ integrationId: name, integrationName: name, event: { [name]: [element] } });
    expect([event.integrationId, event.integrationName, event.type]).toEqual([name, name, name]);
    expect(event.issues).toBeUndefined();
  });

  it('is cut when it is longer, and the event says so, and is valid all the same', () => {
    const name = 'n'.repeat(250_000);
    const { event } = split({ integrationName: name, event: { moText: [element] } });
    expect(event.integrationName).toMatch(/^n{256}…[\w-]{22}$/);
    expect(event).toMatchObject({
      issues: [
        {
          path: 'integrationName',
          message: 'expected at most 256 characters, got more; the rest is replaced by a hash',
        },
      ],
      data: { text: 'hi' },
      raw: element,
    });
    expect(event.valid).toBeUndefined();
  });

  it('stays different from another that begins alike, and so do the ids of their events', () => {
    const [one, other] = ['a', 'b'].map((end) => `${'n'.repeat(300)}${end}`);
    const ids = [
      { integrationId: one, event: { moText: [element] } },
      { integrationId: other, event: { moText: [element] } },
      { event: { [one as string]: [element] } },
      { event: { [other as string]: [element] } },
    ].map((envelope) => split(envelope).event.id);
    expect(new Set(ids).size).toBe(4);
  });

  it('comes back from the log as it was', () => {
    const name = `${'n'.repeat(255)}😀${'n'.repeat(300)}`;
    const { event, source } = split({ integrationId: name, integrationName: name, event: { [name]: [element] } });
    const { id, type, integrationId, integrationName, receivedAt } = event;
    const stored = { type, integrationId, integrationName, receivedAt, source };
    expect(restoreEvent({ id, ...stored }).event).toEqual(event);
    // Derived again, the id is the same.
    expect(restoreEvent(stored).event.id).toBe(id);
    expect(JSON.parse(JSON.stringify(event))).toEqual(event);
  });
});
