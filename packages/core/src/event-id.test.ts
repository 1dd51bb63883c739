import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyJson, holdsMinusZero, holdsProtoKey, sameJson, writers } from '../test/json-values.ts';
import { sampleElement } from '../test/samples.ts';
import { parseCallback } from './callback.ts';
import { KNOWN_EVENT_TYPES } from './data.ts';
import { elementSources } from './element-sources.ts';
import { splitCallback } from './event.ts';
import { EVENT_ID, eventId } from './event-id.ts';

/** The id of an element by its JSON text, as the log derives it. */
const idOf = (source: string, type = 'moText', integrationId: string | null = 'i') =>
  eventId(integrationId, type, JSON.parse(source), source);

/** The same without splitting the callback, of its only element of a type. */
const idFromEnvelope = (text: string, type: string) => {
  const { envelope, integrationId } = parseCallback(Buffer.from(text));
  return eventId(integrationId, type, envelope?.event[type]?.[0], elementSources(text).get(type)?.[0]);
};

const expectAllDifferent = (ids: string[]) => expect(new Set(ids).size).toBe(ids.length);

const anyElement = fc.oneof(
  fc
    .constantFrom(...KNOWN_EVENT_TYPES)
    .chain((type) => anyJson.map((unheard): unknown => ({ ...sampleElement(type), unheard }))),
  anyJson,
);

describe('a duplicate has the same id', () => {
  it('however its callback is written, and whatever the integration is called', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...KNOWN_EVENT_TYPES, 'moSticker'),
        anyElement.filter((element) => !holdsProtoKey(element)),
        writers({ shuffle: true }),
        fc.string(),
        (type, element, { write }, integrationName) => {
          const first = write({ integrationId: 'i', integrationName: 'n', event: { [type]: [element] } });
          const again = write({ integrationName, event: { moSound: [1], [type]: [element] }, integrationId: 'i' });
          const idIn = (text: string) => splitCallback(text, '').find(({ event }) => event.type === type)?.event.id;
          expect(idIn(again)).toBe(idIn(first));
          if (!holdsMinusZero(element)) expect(idIn(again)).toBe(eventId('i', type, element));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('when it is derived from what `parseCallback` read, and when its callback is split', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...KNOWN_EVENT_TYPES, 'moSticker'),
        anyElement.filter((element) => !holdsProtoKey(element)),
        writers({ shuffle: true }),
        (type, element, { write }) => {
          const text = write({ integrationId: 'i', event: { empty: [], [type]: [element] } });
          expect(idFromEnvelope(text, type)).toBe(splitCallback(text, '')[0]?.event.id);
        },
      ),
      { numRuns: 500 },
    );
    for (const source of ['9007199254740993', '{"n":1e2}', '[12345678901234567890]', '{"n":0.10000000000000001}']) {
      const text = `{"event":{"moText":[${source}]}}`;
      expect(idFromEnvelope(text, 'moText')).toBe(splitCallback(text, '')[0]?.event.id);
    }
  });

  it('however its numbers are spelled', () => {
    const same = (...sources: string[]) => expect(new Set(sources.map((source) => idOf(source))).size).toBe(1);
    same('{"n":100}', '{"n":1e2}', '{"n":100.0}', '{"n":1E+2}', '{"n":100.00000000000000000000}', '{"n":0.1e3}');
    same('[0]', '[0.0]', '[0e5]', '[0.00000000000000000000]');
    same('[-0]', '[-0.0]', '[-0e5]', '[-0.00000000000000000000]');
    same('[9007199254740993]', '[9007199254740993.0]', '[900719925474099.3e1]', '[ 9007199254740993e0 ]');
    same('[1.5]', '[15e-1]', '[1.50000000000000000]');
    same('[1e400]', '[10e399]', '[1.0E+400]');
    same('37.536033630371094', '3.7536033630371094e1');
  });

  it('also when the links in it are signed again', () => {
    const media = (downloadUrl: string, sha256Hash?: string) =>
      JSON.stringify({ messageId: 'm', files: [{ contentType: 'image/png', downloadUrl, sha256Hash }] });
    const same = (a: string, b: string) => expect(idOf(a, 'moMedia')).toBe(idOf(b, 'moMedia'));
    const different = (a: string, b: string) => expect(idOf(a, 'moMedia')).not.toBe(idOf(b, 'moMedia'));
    const url = 'https://platform.clickatell.com/v1/media';
    same(media(`${url}?fileId=a&signature=1`, 'h'), media(`${url}?fileId=b&signature=2`, 'h'));
    different(media(`${url}?fileId=a`, 'h'), media(`${url}?fileId=a`, 'i'));
    same(media(`${url}?fileId=a&signature=1`), media(`https://other.example/x?signature=2&fileId=a`));
    different(media(`${url}?fileId=a`), media(`${url}?fileId=b`));
    same(media(`${url}/a?signature=1`), media(`${url}/a?signature=2#x`));
    different(media(`${url}/a`), media(`${url}/b`));
    // Signed again, the ways of storage services.
    same(media(`${url}/a?x-amz-signature=1&X-Amz-Date=2`), media(`${url}/a?X-Amz-Signature=3`));
    same(media(`${url}?fileId=a&sv=1&sig=x&se=2`), media(`${url}?sig=y&fileId=a`));
    // Another file, whatever its parameter is called.
    different(media(`${url}?id=1`), media(`${url}?id=2`));
    different(media(`${url}?fileId=a&part=1&signature=1`), media(`${url}?fileId=a&part=2&signature=1`));
    different(media(`${url}?fileId=a&sha256Hash=1`), media(`${url}?fileId=a&sha256Hash=2`));
    different(media(`${url}?fileId=a`), media(`${url}?fileId=a&source=client`));
    same(media(`${url}?b=2&a=1`), media(`${url}?a=1&b=2`));
    different(media('no url'), media('no url either'));
    different(media(`${url}?fileId=a`), media('a'));
    different(media(`${url}?fileId=a`, ''), media(`${url}?fileId=b`, ''));
    // A link that appears, or is not text, makes another event.
    different('{"files":[{"sha256Hash":"h"}]}', '{"files":[{"sha256Hash":"h","downloadUrl":"u"}]}');
    different('{"files":[{"sha256Hash":"h","downloadUrl":null}]}', '{"files":[{"sha256Hash":"h","downloadUrl":"u"}]}');
  });

  it('for ever: these ids were given once and stay', () => {
    expect([
      idOf('{}'),
      idOf('[9007199254740993,-0,1e400,"\\ud800"]'),
      idOf(
        '{"files":[{"downloadUrl":"https://platform.clickatell.com/v1/media?fileId=a&signature=1"}]}',
        'moMedia',
        null,
      ),
      idOf(JSON.stringify(sampleElement('moText'))),
    ]).toEqual([
      'evt_h9ZauybE3nzmrnVKcHf10d',
      'evt_9Chows1ZcG3RvNh_FkNQWG',
      'evt_4PIkq96OOiaNZKAXds8cCS',
      'evt_AwjoRH7ufTNVdyBQ-LFjti',
    ]);
  });

  it('for ever, also when its text is hashed part by part', () => {
    const long = 'Q'.repeat(200_000);
    expect(
      [
        `{"from":"1","to":"2","content":"${long}","é":"ü"}`,
        `{"content":"${long}\\u00e9\\/","n":1}`,
        `{"content":"${'é😀'.repeat(70_000)}","k":["${long}","b","${long}"]}`,
        `{"content":"\\ud800${long}"}`,
        `{"content":${JSON.stringify('😀\ud800'.repeat(70_000))}}`,
        `{"content":"${long}","n":12345678901234567890}`,
        `[${'"a",'.repeat(40_000)}1]`,
      ].map((source) => idOf(source, 'moMedia')),
    ).toEqual([
      'evt__of-y8n0lnjz3y0yQmxa2D',
      'evt_MZy6V-eADgjbfbT_b0iJ-B',
      'evt_zxn_EiwZd9UHkem34VuWxp',
      'evt_PrUsoVIjeVUOa1MoRVPOEa',
      'evt_48LZkxmh4a1XeJWMsWMWim',
      'evt_RvjOuRuXv5chs_IkrJ5phZ',
      'evt_EQysJtUcISwd4wE105drdC',
    ]);
  });
});

describe('two events have two ids', () => {
  it('though they look alike', () => {
    const sources = [
      '{}',
      '[]',
      'null',
      '""',
      '0',
      '-0',
      'false',
      '"null"',
      '"0"',
      '"false"',
      '"{}"',
      '"[]"',
      '[null]',
      '[[]]',
      '[{}]',
      '{"a":null}',
      '{"a":"null"}',
      '{"a":1}',
      '{"a":"1"}',
      '{"a":true}',
      '{"a":"true"}',
      '{"a":[]}',
      '{"a":{}}',
      '{"a":""}',
      '{"a":[1]}',
      '{"a":{"0":1}}',
      '[1,2]',
      '[12]',
      '["1","2"]',
      '["1,2"]',
      '["1\\",\\"2"]',
      '[[1],2]',
      '[1,[2]]',
      '[2,1]',
      '{"a":1,"b":2}',
      '{"a":2,"b":1}',
      '{"a":{"b":1}}',
      '{"a":{},"b":1}',
      '{"a,b":1}',
      '{"a\\":1,\\"b":2}',
      '{"a":-0}',
      '{"a":0}',
      '"\\ud800"',
      '"\\udc00"',
      '"\\ufffd"',
      '"\\\\ud800"',
      '"\\u0000"',
      '"\\\\u0000"',
      '"a\\u0000b"',
      '"a b"',
      '"ab"',
      '"\\u00e9"',
      '"e\\u0301"',
      '1e400',
      '-1e400',
      '"Infinity"',
      '"#1e400"',
      '[1e400]',
      '[1e401]',
      '[1e-400]',
      '[0]',
      '[2e-400]',
      '1.5',
      '"1.5"',
      '15',
      '" 1.5"',
      '{"downloadUrl":"a"}',
      '{"downloadUrl":null}',
      '{"downloadUrl":{"text":"a"}}',
      '{"a":"#hashed"}',
      '{"__proto__":1}',
      '{"__proto__":2}',
    ];
    expectAllDifferent(sources.map((source) => idOf(source)));
  });

  it('though only digits differ that parsing loses', () => {
    expect(JSON.parse('9007199254740993')).toBe(JSON.parse('9007199254740992'));
    const literals = [
      '9007199254740991',
      '9007199254740992',
      '9007199254740993',
      '-9007199254740993',
      '90071992547409930',
      '900719925474099.4e1',
      '0.1',
      '0.10000000000000000001',
      '12345678901234567890',
      '12345678901234567891',
      '123456789.12345678901',
      '123456789.12345678902',
      '1e999',
      '1e9999',
      '-1e999',
      '1e99999999999999999999',
      '1e99999999999999999998',
      '5e-400',
      '6e-400',
    ];
    expectAllDifferent(literals.map((literal) => idOf(literal)));
    expectAllDifferent(literals.map((literal) => idOf(`{"a":[{"n": ${literal}}]}`)));
    expectAllDifferent(literals.map((literal) => idOf(`[1,${literal}]`)));
    expectAllDifferent(literals.flatMap((literal) => [idOf(`{"n":${literal}}`), idOf(`{"n":"${literal}"}`)]));
  });

  it('though a key is given twice: the last one counts, and its digits', () => {
    expect(idOf('{"n":9007199254740993,"n":1}')).toBe(idOf('{"n":1}'));
    expect(idOf('{"n":1,"n":9007199254740993}')).toBe(idOf('{"n":9007199254740993}'));
    expect(idOf('{"n":9007199254740992,"n":9007199254740993}')).toBe(idOf('{"n":9007199254740993}'));
  });

  it('by integration and type', () => {
    expectAllDifferent([
      eventId(null, 'moText', {}),
      eventId('', 'moText', {}),
      eventId('null', 'moText', {}),
      eventId('i', 'moText', {}),
      eventId('i', 'moMedia', {}),
      eventId('imo', 'Text', {}),
      eventId('i","moText', '', {}),
      eventId('', 'i","moText', {}),
    ]);
  });

  it('for any two different values', () => {
    fc.assert(
      fc.property(anyJson, anyJson, (a, b) => {
        const [first, second] = [eventId('i', 'moText', a), eventId('i', 'moText', b)];
        expect(first === second).toBe(sameJson(a, b));
      }),
      { numRuns: 1000 },
    );
  });

  it('for any change of any one value in it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...KNOWN_EVENT_TYPES).map((type) => [type, sampleElement(type)] as const),
        fc.nat(),
        anyJson,
        ([type, element], which, value) => {
          const fields = Object.keys(element);
          const field = fields[which % fields.length] as string;
          const changed = { ...element, [field]: value };
          const { [field]: _, ...without } = element;
          fc.pre(!sameJson(element[field], value));
          expectAllDifferent([element, changed, without].map((one) => eventId('i', type, one)));
        },
      ),
    );
  });
});

describe('an event id', () => {
  it('is derived from any value without a fault, deep ones too', () => {
    const deep = `${'['.repeat(50_000)}9007199254740993${']'.repeat(50_000)}`;
    expect(idOf(deep)).toMatch(EVENT_ID);
    for (const value of [undefined, Number.NaN, 1n, () => 1, Symbol.iterator, new Date(0), [undefined]]) {
      expect(eventId(null, '', value)).toMatch(EVENT_ID);
    }
    fc.assert(fc.property(fc.anything(), fc.string(), (value, type) => EVENT_ID.test(eventId(null, type, value))));
  });
});
