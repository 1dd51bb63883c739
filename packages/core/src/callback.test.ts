import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyJson, writers } from '../test/json-values.ts';
import { reply, status } from '../test/samples.ts';
import { MAX_DEPTH, MAX_VALUES, parseCallback, readEnvelope } from './callback.ts';
import { InvalidCallbackError } from './errors.ts';
import { splitCallback } from './event.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const parse = (text: string) => parseCallback(bytes(text));

const refusal = (body: Uint8Array | string): InvalidCallbackError => {
  try {
    parseCallback(typeof body === 'string' ? bytes(body) : body);
  } catch (error) {
    if (error instanceof InvalidCallbackError) return error;
    throw error;
  }
  throw new Error('the callback was not refused');
};

describe('a callback', () => {
  it("is what Clickatell's sample reply is", () => {
    expect(parseCallback(reply)).toEqual({
      text: reply.toString(),
      integrationId: 'fa8090815f05d5ed015f0b5b56080cd2',
      eventCount: 8,
      lane: 'messages',
      envelope: readEnvelope(reply.toString()),
    });
  });

  it("is what Clickatell's sample status is", () => {
    expect(parseCallback(status)).toEqual({
      text: status.toString(),
      integrationId: 'fa8090815f05d5ed015f0b5b56080cd2',
      eventCount: 1,
      lane: 'statuses',
      envelope: readEnvelope(status.toString()),
    });
  });

  it('keeps every digit of an integration that is a number, so that two are never one', () => {
    const ids = ['9007199254740992', '9007199254740993', '12345678901234567890', '12345678901234567891'];
    for (const id of ids) expect(parse(`{"event":{}, "integrationId" : ${id} }`).integrationId).toBe(id);
    expect(parse('{"integrationId":1,"integrationId":12345678901234567890,"event":{}}').integrationId).toBe(
      '12345678901234567890',
    );
    const eventIds = ids.map(
      (id) => splitCallback(`{"integrationId":${id},"event":{"moText":[{"a":1}]}}`, '')[0]?.event.id,
    );
    expect(new Set(eventIds).size).toBe(ids.length);
  });

  it('may spell its integration `integrationID`', () => {
    expect(parse('{"integrationID":"a","event":{}}').integrationId).toBe('a');
    expect(parse('{"integrationID":"a","integrationId":"b","event":{}}').integrationId).toBe('b');
    expect(parse('{"integrationID":"a","integrationId":null,"event":{}}').integrationId).toBe('a');
    expect(parse('{"integrationId":7,"event":{}}').integrationId).toBe('7');
    expect(parse('{"integrationId":{},"event":{}}').integrationId).toBe(null);
    expect(parse('{"integrationId":{},"integrationID":9007199254740993,"event":{}}').integrationId).toBe(
      '9007199254740993',
    );
    expect(parse('{"event":{}}').integrationId).toBe(null);
  });

  it('goes to the statuses only when it holds nothing else', () => {
    expect(parse('{"event":{"messageStatusUpdate":[{}],"moText":[]}}').lane).toBe('statuses');
    expect(parse('{"event":{"messageStatusUpdate":[{}],"moText":[{}]}}').lane).toBe('messages');
    expect(parse('{"event":{"messageStatusUpdate":[],"moText":[{}]}}').lane).toBe('messages');
    expect(parse('{"event":{"messageRead":[{}]}}').lane).toBe('messages');
  });

  it('carries its parsed envelope when it is short', () => {
    const parsed = (content: string) => parse(`{"integrationId":"a","event":{"moText":[{"content":"${content}"}]}}`);
    expect(parsed('hello').envelope).toEqual({
      integrationId: 'a',
      integrationName: null,
      event: { moText: [{ content: 'hello' }] },
    });
    expect(parsed('x'.repeat(16 * 1024))).not.toHaveProperty('envelope');
  });

  it('may be empty', () => {
    expect(parse('{"event":{}}').eventCount).toBe(0);
    expect(parse('{"event":{"moText":[]}}').eventCount).toBe(0);
  });

  it('may hold types, fields and elements that nobody has heard of', () => {
    expect(parse('{"x":1,"event":{"moSticker":[1,null,"a",[],{}],"constructor":[{}],"":[{}]}}').eventCount).toBe(7);
  });

  it('loses its byte order mark', () => {
    expect(parse('\ufeff{"event":{}}').text).toBe('{"event":{}}');
  });

  it(`nests at most ${MAX_DEPTH} levels`, () => {
    const nested = (levels: number) => `{"event":{"a":[${'['.repeat(levels - 3)}${']'.repeat(levels - 3)}]}}`;
    expect(parse(nested(MAX_DEPTH)).eventCount).toBe(1);
    expect(refusal(nested(MAX_DEPTH + 1)).message).toBe('callback nests objects or arrays deeper than 64 levels');
    expect(refusal('['.repeat(5_000_000)).message).toBe('callback nests objects or arrays deeper than 64 levels');
  });
});

it(`a callback holds at most ${MAX_VALUES} values, however they are written`, () => {
  // Four are around the list: the envelope, its event object, the list itself and the first of its elements.
  const holding = (element: string, count: number) => `{"event":{"a":[${`${element},`.repeat(count - 4)}${element}]}}`;
  expect(parse(holding('1', MAX_VALUES)).eventCount).toBe(MAX_VALUES - 3);
  for (const element of ['1', '[]', '{}', '""', 'null', '{"a":1}', '"\\",["']) {
    const message = `callback holds more than ${MAX_VALUES} values`;
    expect(refusal(holding(element, MAX_VALUES + 1)).message).toBe(message);
  }
  // Text that looks like values does not count.
  expect(parse(JSON.stringify({ event: { a: ['[],{},"'.repeat(500_000)] } })).eventCount).toBe(1);
});

describe('a refusal', () => {
  it('says what a callback must be and what it was given', () => {
    const messages = ['', 'hello', '[]', 'null', '"a"', '{}', '{"event":null}', '{"event":[]}', '{"event":"a"}'].map(
      (body) => refusal(body).message,
    );
    expect(messages).toEqual([
      'callback must be JSON, got 0 characters that do not parse',
      'callback must be JSON, got 5 characters that do not parse',
      'callback must be a JSON object, got array',
      'callback must be a JSON object, got null',
      'callback must be a JSON object, got string',
      'event must be an object of arrays, got undefined',
      'event must be an object of arrays, got null',
      'event must be an object of arrays, got array',
      'event must be an object of arrays, got string',
    ]);
  });

  it('has a code, a status and the issues', () => {
    const error = refusal('{"event":{"moText":{},"moMedia":[],"+27 82 123":"a"}}');
    expect({ ...error, message: error.message }).toEqual({
      name: 'InvalidCallbackError',
      code: 'invalid_callback',
      status: 422,
      expose: true,
      message: 'event must be an object of arrays: event.moText expected array, got object',
      issues: [
        { path: 'event.moText', message: 'expected array, got object' },
        { path: 'event.<key 3>', message: 'expected array, got string' },
      ],
    });
  });

  it('of a flat body names the older API', () => {
    const flat = { integrationId: 'a', messageId: 'b', statusCode: 5, status: 'error', timestamp: '1506607698860' };
    expect(refusal(JSON.stringify(flat)).message).toBe(
      'callback has no `event`: a flat body is of an older Clickatell API, whose status codes mean other things; ' +
        'only One API callbacks are understood, so point that integration elsewhere',
    );
    expect(refusal('{"replyMessageId":"a","text":"b"}').message).toContain('older Clickatell API');
  });

  it('meets bytes that are not UTF-8', () => {
    const latin1 = Buffer.from('{"event":{"moText":[{"content":"caf\u00e9"}]}}', 'latin1');
    expect(refusal(latin1).message).toBe('callback must be UTF-8, got 41 bytes that are not');
    expect(refusal(Buffer.from('{"event":{}}', 'utf16le')).code).toBe('invalid_callback');
  });

  it('repeats nothing of what was sent', () => {
    const error = refusal('{"event":{"moText":[{"content":"my secret 27821234567');
    expect(JSON.stringify({ ...error, message: error.message, stack: error.stack })).not.toMatch(/secret|2782/);
    expect(error.cause).toBeUndefined();
  });
});

describe('a key named __proto__', () => {
  it('is refused wherever and however it is written', () => {
    for (const key of ['__proto__', '\\u005f_proto__', '__pro\\u0074o__', '\\u005F\\u005Fproto\\u005f\\u005f']) {
      for (const body of [
        `{"${key}":{"polluted":1},"event":{}}`,
        `{"event":{"${key}":[]}}`,
        `{"event":{"moText":[{"${key}":{"polluted":1}}]}}`,
        `{"event":{"moText":[[{"a":[{"${key}":1}]}]]}}`,
      ]) {
        expect(refusal(body).message).toBe('callback must not hold a key named `__proto__`');
      }
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('may be what a customer writes about', () => {
    expect(
      parse('{"event":{"moText":[{"content":"__proto__"},{"content":"\\u005f_proto__ \\u0041"}]}}').eventCount,
    ).toBe(2);
  });
});

describe('nothing but InvalidCallbackError', () => {
  const outcome = (body: Uint8Array) => {
    try {
      return parseCallback(body);
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidCallbackError);
      return null;
    }
  };

  it('is thrown for any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (body) => void outcome(body)));
  });

  it('is thrown for any JSON, and for any JSON that is cut off', () => {
    fc.assert(
      fc.property(anyJson, writers({ shuffle: false }), fc.nat(300), (value, { write }, cut) => {
        const text = write({ event: value });
        outcome(bytes(text));
        outcome(bytes(text.slice(0, cut)));
      }),
    );
  });

  it('is thrown for an object of arrays, whatever they hold', () => {
    const event = fc.dictionary(fc.string({ unit: 'binary' }), fc.array(anyJson));
    fc.assert(
      fc.property(event, writers({ shuffle: true }), (value, { write }) => {
        const callback = outcome(bytes(write({ event: value })));
        if (callback === null) return;
        expect(callback.eventCount).toBe(
          Object.values(value)
            .flat(0)
            .reduce((sum, list) => sum + list.length, 0),
        );
      }),
    );
  });
});

it.each([100, 200_000])(
  'a byte order mark is dropped, and bytes that are not UTF-8 are refused, in a body of %i bytes',
  (length) => {
    const json = JSON.stringify({ event: { moText: [{ content: 'é'.repeat(length / 2) }] } });
    expect(parseCallback(Buffer.from(`\ufeff${json}`)).text).toBe(json);
    const broken = Buffer.from(json);
    broken[broken.length - 20] = 0xff;
    expect(() => parseCallback(broken)).toThrow(`callback must be UTF-8, got ${broken.length} bytes that are not`);
  },
);
