import { type ClientRequest, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/*
 * Attacks a receiver until it is killed, in a process of its own so that its work does not count as the receiver's:
 * `node attack-process.ts <port> <credential>`. Reports over IPC what it has done.
 */

const [port, credential] = [Number(process.argv[2]), String(process.argv[3])];
const PATH = '/client-callback/one-api-reply';
const SLOW_SOCKETS = 500;
const LARGE_BODY_BYTES = 100 * 1024 * 1024;

const counts = { slowOpen: 0, slowCut: 0, largeRefused: 0, bombsRefused: 0, strangersBombsRefused: 0, other: 0 };
export type AttackCounts = typeof counts;

setInterval(() => process.send?.({ ...counts }), 200);
process.on('disconnect', () => process.exit());

/** What a slow socket sends at first, and then every half second. */
const SLOW: readonly (readonly [first: string, then: string])[] = [
  ['', ''],
  ['P', ''],
  [`POST ${PATH} HTTP/1.1\r\nHost: x\r\n`, 'x-a: b\r\n'],
  // With a credential that became known: a stranger's body would be refused at once.
  [`POST ${PATH}?token=${credential} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n`, ' '],
  [`POST ${PATH}?token=${credential} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n'],
];

const beSlow = (index: number): void => {
  const [first, then] = SLOW[index % SLOW.length] as (typeof SLOW)[number];
  const socket = connect(port, '127.0.0.1', () => {
    counts.slowOpen++;
    if (first !== '') socket.write(first);
  });
  const timer = setInterval(() => then !== '' && socket.writable && socket.write(then), 500);
  socket.resume();
  socket.on('error', () => {});
  socket.on('close', () => {
    clearInterval(timer);
    counts.slowOpen--;
    counts.slowCut++;
    setTimeout(beSlow, 50, index);
  });
};

/** Sends a request and reads its answer; 0 when the connection broke before there was one. */
const send = (query: string, headers: Record<string, string | number>, write: (to: ClientRequest) => void) =>
  new Promise<number>((resolve) => {
    const outgoing = request({ port, host: '127.0.0.1', path: PATH + query, method: 'POST', headers, agent: false });
    outgoing.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
      outgoing.destroy();
    });
    outgoing.on('error', () => resolve(0));
    outgoing.on('close', () => resolve(0));
    write(outgoing);
  });

const chunk = Buffer.alloc(1024 * 1024, 'x');
const pour = (to: ClientRequest): void => {
  let sent = 0;
  const more = () => {
    while (!to.destroyed && sent < LARGE_BODY_BYTES) {
      sent += chunk.length;
      if (!to.write(chunk)) return;
    }
    to.end();
  };
  to.on('drain', more);
  more();
};

const repeat = async (work: () => Promise<void>): Promise<never> => {
  for (;;) {
    await work();
    await sleep(300);
  }
};

const zeros = Buffer.alloc(200 * 1024 * 1024);
const bombs = [
  ['gzip', gzipSync(zeros)],
  ['br', brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } })],
] as const;

for (let index = 0; index < SLOW_SOCKETS; index++) beSlow(index);
for (const framing of [{ 'content-length': LARGE_BODY_BYTES }, { 'transfer-encoding': 'chunked' }]) {
  void repeat(async () => {
    const status = await send('', framing as Record<string, string>, pour);
    if (status === 401 || status === 429) counts.largeRefused++;
    else counts.other++;
  });
}
for (const [encoding, bomb] of bombs) {
  const headers = { 'content-encoding': encoding, 'content-length': bomb.length };
  void repeat(async () => {
    const status = await send(`?token=${credential}`, headers, (to) => to.end(bomb));
    if (status === 413) counts.bombsRefused++;
    else counts.other++;
  });
  void repeat(async () => {
    const status = await send('?token=wrong', headers, (to) => to.end(bomb));
    if (status === 401 || status === 429) counts.strangersBombsRefused++;
    else counts.other++;
  });
}
