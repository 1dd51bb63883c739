import { expect, test } from 'vitest';
import { AnswerReader } from './read-answer.ts';

/** Park and Miller's generator, so that a failure can be run again. */
const randomFrom = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
};

const seen = (reader: AnswerReader) => ({
  status: reader.status,
  body: reader.body,
  hasEnded: reader.hasEnded,
  isRegular: reader.isRegular,
  keepsOpen: reader.keepsOpen,
  keepsOpenMs: reader.keepsOpenMs,
  retryAfter: reader.retryAfter,
});

const readWhole = (answer: string): AnswerReader => {
  const reader = new AnswerReader();
  reader.read(Buffer.from(answer, 'latin1'));
  return reader;
};

const readInPieces = (answer: string, random: (below: number) => number): AnswerReader => {
  const reader = new AnswerReader();
  const bytes = Buffer.from(answer, 'latin1');
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random(random(2) === 0 ? 3 : bytes.length);
    reader.read(bytes.subarray(at, end));
    at = end;
  }
  return reader;
};

const OK = { status: 200, hasEnded: true, isRegular: true, keepsOpen: true };
const ANSWERS: readonly [answer: string, expected: object][] = [
  ['HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok', { ...OK, body: 'ok' }],
  ['HTTP/1.1 200 OK\r\nContent-Length:0\r\nKeep-Alive: timeout=5, max=100\r\n\r\n', { ...OK, keepsOpenMs: 5_000 }],
  [
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n3;x=y\r\nyes\r\n0\r\nx: y\r\n\r\n',
    { ...OK, body: 'okyes' },
  ],
  ['HTTP/1.1 204 None\r\ncontent-length: 5\r\n\r\n', { ...OK, status: 204 }],
  ['HTTP/1.1 103 Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', OK],
  ['HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n', { ...OK, keepsOpen: false }],
  ['HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n', { ...OK, keepsOpen: false }],
  ['HTTP/1.1 429 Slow\r\nRetry-After: 7\r\ncontent-length: 0\r\n\r\n', { ...OK, status: 429, retryAfter: '7' }],
  [
    'HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nretry-after: 8\r\ncontent-length: 0\r\n\r\n',
    { ...OK, status: 429, retryAfter: ['7', '8'] },
  ],
  // From here on something is not as HTTP says, so that no other answer may follow.
  [
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 500 No\r\n\r\n',
    { status: 200, isRegular: false, body: 'ok' },
  ],
  ['HTTP/1.1 200 OK\ncontent-length: 2\n\nok', { status: 200, isRegular: false, body: 'ok' }],
  ['HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\n\r\nok', { status: 200, isRegular: false, body: 'ok' }],
  ['HTTP/1.1 200 OK\r\ncontent-length: 0x2\r\n\r\nok', { status: 200, isRegular: false, hasEnded: false, body: 'ok' }],
  [
    'HTTP/1.1 200 OK\r\ncontent-length: 9\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    { status: 200, isRegular: false, hasEnded: true, body: 'ok' },
  ],
  [
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokx\r\n',
    { status: 200, isRegular: false, hasEnded: true },
  ],
  ['HTTP/1.1 200 OK\r\n folded: x\r\ncontent-length : 0\r\n\r\n', { status: 200, isRegular: false, hasEnded: true }],
  ['HTTP/1.1 101 Switching\r\n\r\n', { status: 0, hasEnded: true }],
  ['SSH-2.0\r\n', { status: 0, hasEnded: true }],
  [`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(2_000_000)}`, { status: 200, isRegular: false, hasEnded: true }],
];

test.each(ANSWERS)('%j', (answer, expected) => {
  expect(seen(readWhole(answer))).toMatchObject(expected);
});

test('an answer in pieces is the same answer, wherever it is cut', () => {
  for (const [answer] of ANSWERS) {
    const whole = seen(readWhole(answer));
    for (let seed = 1; seed <= 200; seed++) {
      const pieces = seen(readInPieces(answer, randomFrom(seed)));
      expect(pieces, `seed ${seed} of ${answer.slice(0, 60)}`).toEqual(whole);
    }
  }
});

test('no bytes at all are too much for it, and those that follow a status line change no status', () => {
  for (let seed = 1; seed <= 2_000; seed++) {
    const random = randomFrom(seed);
    const alphabet = 'HTP/1.02 \r\n\t:;,x-ä\0\x01length content-transfer-encoding chunked';
    const noise = Array.from({ length: random(200) }, () => alphabet[random(alphabet.length)]).join('');
    expect(readInPieces(noise, random).status, `seed ${seed}`).toBe(readWhole(noise).status);
    const reader = readInPieces(`HTTP/1.1 201 Created\r\n${noise}`, random);
    reader.end();
    expect(reader, `seed ${seed}`).toMatchObject({ status: 201, hasEnded: true });
  }
});
