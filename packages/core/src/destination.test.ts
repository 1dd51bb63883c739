import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deliveryId, destinationBase, matchesEventType, parseDeliveryId } from './destination.ts';
import { eventId } from './event-id.ts';

describe('a pattern of event types', () => {
  it('matches the type itself, or any characters at each `*`', () => {
    const matching = ['moText', 'mo*', '*', '*Text', 'm*T*t', '**', 'moText*', '*moText'];
    const others = ['motext', 'mo', 'Text', 'mo*x', '', 'moText?', 'mo.*', 'x*', '*x', 'moText*t', 'moTe*ext', 'mo*o*'];
    expect(matching.filter((pattern) => matchesEventType(pattern, 'moText'))).toEqual(matching);
    expect(others.filter((pattern) => matchesEventType(pattern, 'moText'))).toEqual([]);
  });

  it('says what the equivalent regular expression says', () => {
    const letters = (unit: string) => fc.string({ unit: fc.constantFrom(...unit), maxLength: 8 });
    fc.assert(
      fc.property(letters('ab*'), letters('ab'), (pattern, type) => {
        expect(matchesEventType(pattern, type)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(type));
      }),
      { numRuns: 2000 },
    );
  });

  it('cannot be made slow', () => {
    expect(matchesEventType(`${'*a'.repeat(5000)}*b`, 'a'.repeat(100_000))).toBe(false);
  });
});

describe('a delivery id', () => {
  it('holds the event and the destination', () => {
    expect(deliveryId('evt_gSBP9cgHMk8jw8nwjXPWzb', 'crm')).toBe('dlv_crm_gSBP9cgHMk8jw8nwjXPWzb');
  });

  it('can be taken apart, whatever characters the event id has', () => {
    const destinationIds = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/);
    fc.assert(
      fc.property(destinationIds, fc.string(), (destinationId, content) => {
        const event = eventId('i', 'moText', { content });
        expect(parseDeliveryId(deliveryId(event, destinationId))).toEqual({ eventId: event, destinationId });
      }),
    );
    expect(parseDeliveryId(`dlv_a-b_${'_-'.repeat(11)}`)).toEqual({
      eventId: `evt_${'_-'.repeat(11)}`,
      destinationId: 'a-b',
    });
  });

  it('is nothing else', () => {
    for (const id of [
      '',
      'dlv_',
      'crm',
      'dlv_crm_short',
      'dlv_CRM_gSBP9cgHMk8jw8nwjXPWzb',
      'evt_gSBP9cgHMk8jw8nwjXPWzb',
      'dlv_crm_gSBP9cgHMk8jw8nwjXPWzb\n',
    ]) {
      expect(parseDeliveryId(id)).toBeUndefined();
    }
  });
});

describe('a destination', () => {
  it('wants everything unless it says otherwise', () => {
    expect(destinationBase.parse({ id: 'crm', type: 'webhook' })).toEqual({
      id: 'crm',
      type: 'webhook',
      events: ['*'],
    });
  });

  it('has an id that can be a path, a key and part of a delivery id', () => {
    const accepted = (id: string) => destinationBase.safeParse({ id, type: 'pull' }).success;
    expect(['a', '0', 'a-b', 'a'.repeat(63)].every(accepted)).toBe(true);
    expect(['', '-a', 'A', 'a_b', 'a b', 'a/b', 'a'.repeat(64), 'a\n'].some(accepted)).toBe(false);
    expect(destinationBase.safeParse({ id: 'A', type: 'pull' }).error?.issues[0]?.message).toBe(
      'expected lower-case letters, digits and `-`, at most 63, not starting with `-`',
    );
  });
});
