import { HOUR_MS, type LoggedEvent, splitCallback } from '@clickrelay/core';
import { samples } from '@clickrelay/simulator';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newEvent, RECEIVED_AT } from '../../test/sample-events.ts';
import { useStore } from '../../test/use-store.ts';
import { createEventLog } from './append.ts';
import { readEvent } from './read-event.ts';

const { store } = useStore();

const append = (...events: LoggedEvent[]) =>
  createEventLog(store, { dedupeTtlMs: HOUR_MS }).append('m1', events, Date.now());

describe('an event', () => {
  it('is read as it was logged, with every digit and every character of its source', async () => {
    const source =
      '{\n  "messageId": 123456789012345678901234567890,\r\n\t"content": "é \\u00e9 \\ud83d\\ude00 😀 \\ud800 \\n",' +
      ' "a": 1, "a": 2.0, "from":"1" }';
    const text = `{"integrationName":"line\\nbreak \\ud800 ü","integrationId":null,"event":{"mo\\nText ü":[${source}]}}`;
    const [logged] = splitCallback(text, RECEIVED_AT) as [LoggedEvent];
    await append(logged);
    expect(logged.source).toBe(source);
    expect(await readEvent(store, logged.event.id)).toEqual(logged);
  });

  it('is read as it was logged, whatever is in it', async () => {
    const envelope = fc.record({
      integrationId: fc.option(fc.string({ unit: 'binary' })),
      integrationName: fc.option(fc.string({ unit: 'binary' })),
      event: fc.dictionary(
        fc.string({ unit: 'grapheme' }).filter((name) => name !== '__proto__'),
        fc.array(fc.jsonValue(), { minLength: 1, maxLength: 3 }),
        { minKeys: 1, maxKeys: 3 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(envelope, fc.constantFrom('', ' ', '\n', '\t\r\n'), async (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        fc.pre(!text.includes('__proto__'));
        const events = splitCallback(text, RECEIVED_AT);
        await store.redis.flushall();
        await append(...events);
        for (const logged of events) expect(await readEvent(store, logged.event.id)).toEqual(logged);
      }),
      { numRuns: 100 },
    );
  });

  it.each(Object.entries({ ...samples.odd, reply: samples.reply, status: samples.status }))(
    'of the sample %s is read as it was logged',
    async (_, envelope) => {
      const events = splitCallback(JSON.stringify(envelope), RECEIVED_AT);
      await append(...events);
      for (const logged of events) expect(await readEvent(store, logged.event.id)).toEqual(logged);
    },
  );

  it('that was never logged is undefined', async () => {
    expect(await readEvent(store, newEvent().event.id)).toBeUndefined();
  });
});
