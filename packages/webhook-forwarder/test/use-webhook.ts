import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Deliverer } from '@clickrelay/core';
import { type DestinationAnswer, fairNow, startDestination } from '@clickrelay/testkit';
import { afterEach } from 'vitest';
import { webhookConfig } from '../src/config.ts';
import { webhookAdapter } from '../src/deliver.ts';
import type { Resolve } from '../src/egress.ts';
import { generateSecret } from '../src/secret.ts';

export const secret = generateSecret();
const atEnd: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of atEnd.splice(0).reverse()) await end();
});

/** Opens a webhook that may call this machine, signed with `secret` unless the settings say otherwise. */
export const open = (url: string, settings: Record<string, unknown> = {}, resolve?: Resolve): Deliverer => {
  const options = { egressAllow: ['127.0.0.1/32'], userAgent: 'Clickrelay/1.2.3', ...(resolve && { resolve }) };
  const destination = webhookAdapter(options).open(webhookConfig.parse({ url, secret, ...settings }));
  atEnd.push(() => destination.close());
  return destination;
};

/** A destination that answers as told. */
export const listen = async (answer: DestinationAnswer = 200) => {
  const server = await startDestination({ answer });
  atEnd.push(server.close);
  return server;
};

/** A server that calls `serve` with each connection once the head of a request has arrived. */
export const listenRaw = async (serve: (socket: Socket) => void) => {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', () => serve(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=canary-query`;
  return { url, sockets, connections: () => connections };
};

/** Writes a piece every 20 ms until the connection is closed. */
export const trickle = (socket: Socket, piece: string | ((index: number) => string)): void => {
  let index = 0;
  const timer = setInterval(() => socket.write(typeof piece === 'string' ? piece : piece(index++)), 20);
  socket.on('close', () => clearInterval(timer));
};

/**
 * Measures in ms of `fairNow`. Without a deadline, the work would wait for ever, or for a default of ten seconds or
 * more.
 */
export const msOf = async (work: Promise<unknown>): Promise<number> => {
  const start = fairNow();
  await work.catch(() => {});
  return fairNow() - start;
};
