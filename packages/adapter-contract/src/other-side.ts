import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the other side treats a delivery. */
export type Behaviour =
  | 'accepts'
  /** Accepts, with an answer of 100 KB. */
  | 'accepts at length'
  /** Refuses this delivery, now and, as far as it knows, later. */
  | 'rejects'
  /** Cannot take it now. */
  | 'fails'
  /** Asks to come back after 3 seconds at the earliest. */
  | 'throttles'
  /** Wants no more deliveries, ever. */
  | 'is gone'
  /** Names another address. */
  | 'redirects'
  /** Takes it and never answers. */
  | 'hangs'
  /** Breaks the connection. */
  | 'cuts';

/** The server that the adapter under test delivers to. */
export interface OtherSide {
  readonly url: string;
  /** Everything sent to it, as text, accepted or not. */
  readonly received: readonly string[];
  /** Counts the open connections. */
  connections(): Promise<number>;
  behave(behaviour: Behaviour): void;
  close(): Promise<void>;
}

const ANSWERS: Readonly<Record<Exclude<Behaviour, 'hangs' | 'cuts'>, (response: ServerResponse) => void>> = {
  accepts: (response) => response.end('taken'),
  'accepts at length': (response) => response.end('x'.repeat(100_000)),
  rejects: (response) => response.writeHead(400).end('no'),
  fails: (response) => response.writeHead(500).end('not now'),
  throttles: (response) => response.writeHead(429, { 'retry-after': '3' }).end('not so fast'),
  'is gone': (response) => response.writeHead(410).end('gone'),
  redirects: (response) => response.writeHead(307, { location: '/elsewhere' }).end(),
};

/** An HTTP server on the loopback address. */
export const startHttpSide = async (): Promise<OtherSide> => {
  let behaviour: Behaviour = 'accepts';
  const received: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // the adapter has hung up
    }
    received.push(`${request.url}\n${JSON.stringify(request.headers)}\n${Buffer.concat(chunks)}`);
    if (behaviour === 'cuts') request.socket.resetAndDestroy();
    else if (behaviour !== 'hangs') ANSWERS[behaviour](response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=canary-token`,
    received,
    connections: () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count))),
    behave: (next) => {
      behaviour = next;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
};
