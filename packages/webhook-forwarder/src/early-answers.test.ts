import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { hasOpenssl, makeCertificates, type Pair } from '../test/make-certificates.ts';
import { failure, sampleAttempt, sampleEvent } from '../test/sample-attempt.ts';
import { open } from '../test/use-webhook.ts';

// Destinations that answer before they have read the body, and close.

/** Runs beside this thread, as a destination does: it answers in the middle of our writing. */
const SERVER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { answer, tls } = workerData;
  const serve = (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.write(answer, () => socket.destroy()));
  };
  const server = tls ? require('node:tls').createServer(tls, serve) : require('node:net').createServer(serve);
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;

const servers: Worker[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.terminate();
});

const startServer = async (answer: string, tls?: Pair): Promise<string> => {
  const server = new Worker(SERVER, { eval: true, workerData: { answer, tls } });
  servers.push(server);
  const [port] = await once(server, 'message');
  return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/`;
};

const withContent = (length: number) => ({
  ...sampleEvent,
  source: JSON.stringify({ content: 'x'.repeat(length) }),
});

test.each([200_000, 6_000_000])('of %i characters: a refusal is seen as one', async (length) => {
  const url = await startServer(
    'HTTP/1.1 413 Payload Too Large\r\nconnection: close\r\ncontent-length: 9\r\n\r\ntoo large',
  );
  const destination = open(url);
  for (let round = 0; round < 5; round++) {
    expect(await failure(destination.deliver(sampleAttempt({ event: withContent(length) })))).toMatchObject({
      code: 'destination_rejected',
      status: 413,
      response: 'too large',
    });
  }
});

test.each([200_000, 6_000_000])('of %i characters: a success is seen as one', async (length) => {
  const url = await startServer('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok');
  const destination = open(url);
  for (let round = 0; round < 5; round++) {
    expect(await destination.deliver(sampleAttempt({ event: withContent(length) }))).toEqual({
      status: 200,
      response: 'ok',
    });
  }
});

test.runIf(hasOpenssl)('over TLS: a refusal and a success are seen too', async () => {
  const { authority, server } = makeCertificates();
  const answers = [
    ['HTTP/1.1 413 Payload Too Large\r\nconnection: close\r\ncontent-length: 9\r\n\r\ntoo large', 413],
    ['HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok', 200],
  ] as const;
  for (const [answer, status] of answers) {
    const destination = open(await startServer(answer, server), { tls: { ca: authority.cert } });
    for (let round = 0; round < 5; round++) {
      const delivering = destination.deliver(sampleAttempt({ event: withContent(6_000_000) }));
      expect(await delivering.catch((error: unknown) => error)).toMatchObject({ status });
    }
  }
});
