import { connect, type Socket } from 'node:net';

/*
 * A load generator that costs little beside what it measures: raw keep-alive sockets that write one prepared request,
 * with a fresh message id patched in, and look at the first line of the answer.
 */

export interface LoadTarget {
  readonly port: number;
  readonly path: string;
}

export interface LoadResult {
  readonly requests: number;
  readonly refused: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const CONNECTIONS = 64;
const ID_DIGITS = 32;
let nextId = 0;

/** The documented moText callback, with its own message id. */
const element = {
  channel: 'whatsapp/sms ',
  messageId: '0'.repeat(ID_DIGITS),
  relatedMessageId: 'd33eef0838a121f71069a4cc8d55c19e',
  relatedClientMessageId: 'd33eef0838a121f71069a4cc8d55c19e',
  from: '2799900001',
  to: '2799900002',
  timestamp: 1506607698000,
  content: 'Text Content of the reply message',
  charset: 'UTF-8',
  sms: { network: 'Network ID' },
  whatsapp: { profileName: 'Profile Name' },
};
const body = JSON.stringify({
  integrationId: 'fa8090815f05d5ed015f0b5b56080cd2',
  integrationName: 'My integration',
  event: { moText: [element] },
});

/** The requests of one connection; each call of `next` returns the same bytes with another message id. */
const createRequests = ({ port, path }: LoadTarget) => {
  const request = Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nAccept: */*\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const at = request.indexOf('0'.repeat(ID_DIGITS));
  return {
    next: (): { bytes: Buffer; id: string } => {
      const id = (++nextId).toString(16).padStart(ID_DIGITS, '0');
      request.write(id, at, 'latin1');
      return { bytes: Buffer.from(request), id };
    },
  };
};

const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket.setNoDelay(true)));
    socket.once('error', reject);
  });

const OK = Buffer.from('HTTP/1.1 20');

export const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN;

/** Sends as fast as the target answers: every connection sends its next request when the last one is answered. */
export const flood = async (
  target: LoadTarget,
  until: { seconds?: number; requests?: number },
  onSend?: (id: string) => void,
): Promise<LoadResult> => {
  const deadline = performance.now() + (until.seconds ?? Number.POSITIVE_INFINITY) * 1_000;
  let left = until.requests ?? Number.POSITIVE_INFINITY;
  const latencies: number[] = [];
  let refused = 0;
  const startedAt = performance.now();

  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const socket = await open(target.port);
      const requests = createRequests(target);
      await new Promise<void>((resolve, reject) => {
        let sentAt = 0;
        const send = (): void => {
          if (left <= 0 || performance.now() >= deadline) {
            resolve();
            return;
          }
          left--;
          const { bytes, id } = requests.next();
          onSend?.(id);
          sentAt = performance.now();
          socket.write(bytes);
        };
        socket.on('data', (chunk) => {
          if (chunk.subarray(0, OK.length).equals(OK)) latencies.push(performance.now() - sentAt);
          else refused++;
          send();
        });
        socket.once('error', reject);
        socket.once('close', () => reject(new Error('the server under test closed a connection')));
        send();
      });
      socket.removeAllListeners('close');
      socket.destroy();
    }),
  );

  const seconds = (performance.now() - startedAt) / 1_000;
  latencies.sort((a, b) => a - b);
  return {
    requests: latencies.length,
    refused,
    seconds,
    perSecond: latencies.length / seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
};

/** Sends at a fixed rate, whether or not the target keeps up. */
export const trickle = async (
  target: LoadTarget,
  { perSecond, seconds }: { perSecond: number; seconds: number },
  onSend: (id: string) => void,
): Promise<void> => {
  const sockets = await Promise.all(Array.from({ length: 8 }, () => open(target.port)));
  for (const socket of sockets) socket.resume();
  const requests = createRequests(target);
  const startedAt = performance.now();
  const total = perSecond * seconds;
  for (let sent = 0; sent < total; sent++) {
    const dueAt = startedAt + (sent * 1_000) / perSecond;
    const wait = dueAt - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const { bytes, id } = requests.next();
    onSend(id);
    sockets[sent % sockets.length]?.write(bytes);
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  for (const socket of sockets) socket.destroy();
};
