import { expect, it } from 'vitest';
import { readsOfFilter } from './read-fields.ts';

it.each([
  ["event.type == 'moText' && event.data.text.contains('x')", ['type', 'data.text']],
  ['has(event.data.text) || has(event.raw.a.b)', ['has data.text', 'has raw.a.b']],
  ["event['from'] == 'x' && event.data['text'] == 'y'", ['from', 'data.text']],
  [
    'event.data.files[0].contentType == event.data.files[int(event.to)].fileName',
    ['data.files.*.contentType', 'data.files.*.fileName', 'to'],
  ],
  ["event.data.files.exists(file, file.fileName == 'x')", ['data.files']],
  ['cel.bind(e, event, e.from == "x")', ['']],
  ['[event].exists(e, e.to == "x")', ['']],
  ['event[event.type] == 1', ['*', 'type']],
  ["{'a': event.to}.a == string(event.data.code)", ['to', 'data.code']],
  ['true', []],
])('%s reads %j', (filter, fields) => {
  const { fields: found } = readsOfFilter(filter);
  expect(found.map(({ path, isOnlyTested }) => (isOnlyTested ? 'has ' : '') + path.join('.'))).toEqual(fields);
});

it('says where, and what is compared', () => {
  expect(readsOfFilter("true && (event.type in ['a', 'b'] || 'c' != event.channel)")).toEqual({
    fields: [
      { path: ['type'], column: 10, isOnlyTested: false },
      { path: ['channel'], column: 45, isOnlyTested: false },
    ],
    compared: [
      { path: ['type'], text: 'a', column: 25 },
      { path: ['type'], text: 'b', column: 30 },
      { path: ['channel'], text: 'c', column: 38 },
    ],
  });
});
