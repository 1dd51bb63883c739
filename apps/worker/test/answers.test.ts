import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { listDeliveries, putDestination } from '@clickrelay/queue';
import { sampleCallback } from '@clickrelay/simulator';
import { waitUntil } from '@clickrelay/testkit';
import { afterEach, expect, it } from 'vitest';
import { SECRET, useWorker } from './use-worker.ts';

const worker = useWorker();

const cookies = Array.from({ length: 10 }, (_, index) => `set-cookie: c${index}=${'x'.repeat(2000)}\r\n`).join('');

/** Answers of services that had taken the event. Each was taken for a failure once. */
const ANSWERS: Readonly<Record<string, string>> = {
  'more-than-16-kb': `HTTP/1.1 200 OK\r\ncontent-length: 0\r\n${cookies}\r\n`,
  'space-in-name': 'HTTP/1.1 200 OK\r\nX Powered By: shop\r\ncontent-length: 0\r\n\r\n',
  'control-character': 'HTTP/1.1 200 OK\r\nx-app: a\x01b\r\ncontent-length: 0\r\n\r\n',
  'lf-only': 'HTTP/1.1 200 OK\ncontent-length: 0\n\n',
  'length-twice': 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nok',
  'length-and-chunks': 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  'unasked-continue': 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n',
  silence: 'HTTP/1.1 200 OK\r\n',
  'early-close': 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n',
};

const atEnd: (() => void)[] = [];
afterEach(() => {
  for (const end of atEnd.splice(0)) end();
});

/** @returns the ids of the events that came, as often as they came */
const listenRaw = async (id: string, answer: string): Promise<string[]> => {
  const ids: string[] = [];
  const server = createServer((socket: Socket) => {
    atEnd.push(() => socket.destroy());
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const [, eventId] = /webhook-id: (\S+)/.exec(bytes.toString('latin1')) ?? [];
      if (eventId === undefined) return;
      ids.push(eventId);
      if (id === 'early-close') socket.end(answer);
      else socket.write(answer, 'latin1');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const config = { url, secret: SECRET };
  await putDestination(worker.store, { id, type: 'webhook', events: ['*'], paused: null, config });
  return ids;
};

it('a 2xx status line is a delivery, whatever follows it: each event comes once', async () => {
  const came = new Map<string, string[]>();
  for (const [id, answer] of Object.entries(ANSWERS)) came.set(id, await listenRaw(id, answer));
  await worker.start();
  await worker.commit(sampleCallback('moText'), sampleCallback('moText'));
  const outcomes = await waitUntil(async () => {
    const eventIds = new Set([...came.values()].flat());
    const deliveries = (await Promise.all([...eventIds].map((id) => listDeliveries(worker.store, id)))).flat();
    const isDone = deliveries.length === 2 * came.size && deliveries.every(({ state }) => state !== 'pending');
    return isDone ? deliveries : undefined;
  });
  for (const { destinationId, state, attempts } of outcomes) {
    expect([destinationId, state, attempts.length]).toEqual([destinationId, 'delivered', 1]);
  }
  for (const [id, ids] of came) expect([id, ids.length, new Set(ids).size]).toEqual([id, 2, 2]);
});
