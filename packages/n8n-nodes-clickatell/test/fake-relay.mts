import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { type Event, splitCallback } from '@clickrelay/core';
import { samples } from '@clickrelay/simulator';

/** A delivery as the relay sees it. */
interface HeldDelivery {
  readonly deliveryId: string;
  readonly event: Event;
  state: 'waiting' | 'leased' | 'delivered' | 'dead_letter';
  attempt: number;
  token: string | undefined;
  leaseEndsAt: number;
  availableAt: number;
  readonly errors: string[];
  leases: number;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Record<string, unknown>;
}

interface RelayAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** What goes wrong with a request: an error instead of the work, a cut before or after it, silence. */
type Fault = { readonly status: number; readonly code?: string } | 'cut' | 'cut-after' | 'silence' | undefined;

export interface FakeRelay {
  readonly url: string;
  readonly asked: Asked[];
  readonly deliveries: Map<string, HeldDelivery>;
  readonly destinations: Map<string, Record<string, unknown>>;
  /** What was claimed or done once. */
  readonly once: Map<string, HeldClaim>;
  fault: (asked: Asked) => Fault;
  /** After a nack, in milliseconds. */
  retryAfterMs: number;
  maxAttempts: number;
  add(event?: Event): HeldDelivery;
  /** Stops answering, as a stopped process does; keeps what it holds. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

let made = 0;

export const anEvent = (text = 'hello', type = 'moText'): Event => {
  const element = { ...(samples.byType.moText.event['moText']?.[0] as object), content: text, messageId: `m${++made}` };
  const [logged] = splitCallback(
    JSON.stringify({ integrationId: 'i', event: { [type]: [element] } }),
    new Date().toISOString(),
  );
  return (logged as { event: Event }).event;
};

const available = ({ deliveries }: FakeRelay): HeldDelivery[] => {
  const now = Date.now();
  for (const held of deliveries.values()) {
    if (held.state === 'leased' && held.leaseEndsAt <= now) Object.assign(held, { state: 'waiting', token: undefined });
  }
  return [...deliveries.values()].filter((held) => held.state === 'waiting' && held.availableAt <= now);
};

const refuse = (status: number, code: string): RelayAnswer => ({
  status,
  body: { error: { code, message: `${code} it is` } },
});

const peek = (relay: FakeRelay): RelayAnswer => {
  const waiting = available(relay).slice(0, 1);
  const deliveries = waiting.map(({ deliveryId, attempt, event }) => ({ deliveryId, attempt, event }));
  return { status: 200, body: { deliveries } };
};

const lease = async (relay: FakeRelay, { body }: Asked, closed: AbortSignal): Promise<RelayAnswer> => {
  const { max, waitMs, leaseMs } = body as { max: number; waitMs: number; leaseMs: number };
  const until = Date.now() + waitMs;
  while (available(relay).length === 0 && Date.now() < until && !closed.aborted) await wait(5);
  if (closed.aborted) return { status: 200, body: { deliveries: [] } };
  const taken = available(relay).slice(0, max);
  for (const held of taken) {
    held.leases++;
    Object.assign(held, {
      state: 'leased',
      attempt: held.attempt + 1,
      token: `t${held.leases}-${held.deliveryId}`,
      leaseEndsAt: Date.now() + leaseMs,
    });
  }
  const leased = taken.map(({ deliveryId, token, attempt, event, leaseEndsAt }) => ({
    deliveryId,
    leaseToken: token,
    attempt,
    leaseEndsAt: new Date(leaseEndsAt).toISOString(),
    event,
  }));
  return { status: 200, body: { deliveries: leased } };
};

/** Acknowledges, extends or gives back a leased delivery. */
const settle = (relay: FakeRelay, verb: string | undefined, { body }: Asked): RelayAnswer => {
  const held = relay.deliveries.get(String(body['deliveryId']));
  if (held === undefined) return refuse(404, 'delivery_not_found');
  const mine = held.token === body['leaseToken'];
  if (verb === 'ack' && held.state === 'delivered' && mine) return { status: 200, body: { state: 'delivered' } };
  if (held.state !== 'leased' || !mine || held.leaseEndsAt <= Date.now()) return refuse(409, 'lease_lost');
  if (verb === 'ack') held.state = 'delivered';
  else if (verb === 'extend') held.leaseEndsAt = Date.now() + Number(body['leaseMs']);
  else {
    held.errors.push(String(body['error']));
    const ended = body['retry'] === false || held.attempt >= relay.maxAttempts;
    Object.assign(held, { state: ended ? 'dead_letter' : 'waiting', availableAt: Date.now() + relay.retryAfterMs });
  }
  return { status: 200, body: { deliveryId: held.deliveryId, state: held.state } };
};

const work = async (relay: FakeRelay, one: Asked, closed: AbortSignal): Promise<RelayAnswer> => {
  const match = /^\/v1\/destinations\/([^/?]+)(?:\/([a-z]+))?/.exec(one.path);
  if (match === null) return refuse(404, 'not_found');
  const [, id = '', verb] = match;
  if (one.method === 'PUT') {
    const there = relay.destinations.get(id);
    const isNew = there === undefined || JSON.stringify(there) === JSON.stringify(one.body);
    if (one.path.endsWith('?onlyNew=true') && !isNew) return refuse(409, 'destination_exists');
    relay.destinations.set(id, one.body);
    return { status: 200, body: { id, ...one.body } };
  }
  if (!relay.destinations.has(id)) return refuse(404, 'destination_not_found');
  if (one.method === 'GET' && verb === undefined) {
    return { status: 200, body: { id, ...relay.destinations.get(id), paused: null } };
  }
  if (verb === 'peek') return peek(relay);
  if (verb === 'lease') return await lease(relay, one, closed);
  return settle(relay, verb, one);
};

interface HeldClaim {
  readonly key: string;
  readonly token: string;
  readonly endsAt: number;
  readonly outcome?: string;
  readonly result?: string;
}

const claimOne = ({ once }: FakeRelay, key: string, body: Record<string, unknown>): object => {
  const held = once.get(key);
  if (held?.outcome === 'done') return { key, state: 'done', result: held.result ?? '' };
  const left = (held?.endsAt ?? 0) - Date.now();
  if (held !== undefined && held.outcome === undefined && left > 0) return { key, state: 'busy', retryAfterMs: left };
  if (held !== undefined && body['takeOver'] !== true) return { key, state: 'unknown' };
  const claim = { key, token: `token ${once.size} ${key}`, endsAt: Date.now() + Number(body['holdMs']) };
  once.set(key, claim);
  return { state: 'yours', ...claim };
};

const workOnce = (relay: FakeRelay, { path, body }: Asked): RelayAnswer => {
  if (path === '/v1/once') {
    return { status: 200, body: { claims: (body['keys'] as string[]).map((key) => claimOne(relay, key, body)) } };
  }
  const outcomes = (body['outcomes'] as HeldClaim[]).map(({ key, ...more }) => {
    const held = relay.once.get(key);
    if (held?.token !== more.token) return { key, settled: false };
    if (more.outcome === 'not_done') relay.once.delete(key);
    else relay.once.set(key, { ...held, ...more, key });
    return { key, settled: true };
  });
  return { status: 200, body: { outcomes } };
};

const handle = async (relay: FakeRelay, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const closed = new AbortController();
  response.on('close', () => closed.abort());
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const one: Asked = {
    method: String(request.method),
    path: String(request.url),
    authorization: request.headers.authorization,
    body: text === '' ? {} : JSON.parse(text),
  };
  relay.asked.push(one);
  const fault = relay.fault(one);
  if (fault === 'cut') return void request.socket.destroy();
  if (fault === 'silence') return;
  if (typeof fault === 'object') {
    response.writeHead(fault.status, { 'content-type': 'application/json' });
    return void response.end(JSON.stringify({ error: { code: fault.code ?? 'fault', message: 'as scripted' } }));
  }
  const isOnce = one.path.startsWith('/v1/once');
  const { status, body } = isOnce ? workOnce(relay, one) : await work(relay, one, closed.signal);
  if (fault === 'cut-after') return void request.socket.destroy();
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};

/** The lease API as documented, in memory, over real HTTP. */
export const startFakeRelay = async (): Promise<FakeRelay> => {
  let server: Server | undefined;
  let port = 0;
  const sockets = new Set<Socket>();
  const deliveries = new Map<string, HeldDelivery>();
  const destinations = new Map<string, Record<string, unknown>>();
  const asked: Asked[] = [];

  const relay: FakeRelay = {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    asked,
    deliveries,
    destinations,
    once: new Map(),
    fault: () => undefined,
    retryAfterMs: 20,
    maxAttempts: 3,
    add(event = anEvent()) {
      const deliveryId = `dlv_test_${event.id.slice(4)}`;
      const held: HeldDelivery = {
        deliveryId,
        event,
        state: 'waiting',
        attempt: 0,
        token: undefined,
        leaseEndsAt: 0,
        availableAt: 0,
        errors: [],
        leases: 0,
      };
      deliveries.set(deliveryId, held);
      return held;
    },
    async stop() {
      const stopping = server;
      server = undefined;
      // Wait for them to close: a request that has not noticed the cut would take a later delivery.
      const cut = [...sockets].map((socket) => once(socket, 'close'));
      for (const socket of sockets) socket.destroy();
      await Promise.all(cut);
      await new Promise<void>((resolve) => (stopping === undefined ? resolve() : stopping.close(() => resolve())));
    },
    async start() {
      const starting = createServer(
        (request, response) => void handle(relay, request, response).catch(() => response.destroy()),
      );
      starting.on('connection', (socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
      });
      await new Promise<void>((resolve, reject) => starting.once('error', reject).listen(port, '127.0.0.1', resolve));
      port = (starting.address() as AddressInfo).port;
      server = starting;
    },
  };
  await relay.start();
  return relay;
};
