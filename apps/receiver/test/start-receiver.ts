import { connect } from 'node:net';
import type { Callback } from '@clickrelay/core';
import { createReceiverMetrics, Registry } from '@clickrelay/metrics';
import { fairNow } from '@clickrelay/testkit';
import { pino } from 'pino';
import { createApp, type Dependencies } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import { type Malformed, type ServeOptions, serve } from '../src/serve.ts';

interface Quarantined {
  readonly body: Uint8Array;
  readonly reason: string;
}

export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly committed: Callback[];
  readonly quarantined: Quarantined[];
  /** One object for each log line, debug lines included. */
  readonly logged: Record<string, unknown>[];
  /** The answers to refused requests. */
  readonly refused: { status: number; code: string }[];
  /** Requests that were not HTTP. */
  readonly malformed: Malformed[];
  readonly stopping: AbortController;
  stop(graceMs?: number): Promise<void>;
}

type Overrides = Partial<Pick<Dependencies, 'commit' | 'quarantine' | 'durability' | 'readiness' | 'hasSpool'>> &
  Pick<ServeOptions, 'timeouts'>;

/** A receiver on a real port, with a queue that remembers instead of Redis. */
export const startReceiver = async (
  environment: Record<string, string> = {},
  overrides: Overrides = {},
): Promise<Receiver> => {
  const committed: Callback[] = [];
  const quarantined: Quarantined[] = [];
  const logged: Record<string, unknown>[] = [];
  const refused: { status: number; code: string }[] = [];
  const malformed: Malformed[] = [];
  const stopping = new AbortController();
  const durability =
    overrides.durability ??
    (() => ({ ready: true, mode: 'always', durability: 'always', mayBeLost: 'with the disk', problems: [] }));
  const metrics = createReceiverMetrics(new Registry(), overrides.readiness ?? durability);
  const config = readConfig({ CALLBACK_AUTH: 'none', ...environment });
  const { CALLBACK_AUTH: declared } = config;
  const app = createApp({
    config,
    credentials:
      declared === 'none' ? undefined : { current: () => declared, isComplete: () => true, noteUse: () => {} },
    commit: overrides.commit ?? (async (callback) => void committed.push({ ...callback, text: String(callback.text) })),
    quarantine: overrides.quarantine ?? (async (entry) => `qrt_${quarantined.push(entry)}`),
    durability,
    readiness: overrides.readiness ?? durability,
    hasSpool: overrides.hasSpool ?? false,
    stopping: stopping.signal,
    metrics,
    refusals: { count: (answer) => refused.push(answer) },
    log: pino({ level: 'debug', base: null }, { write: (line: string) => void logged.push(JSON.parse(line)) }),
  });
  const server = await serve(app.callback(), {
    host: '127.0.0.1',
    port: 0,
    onMalformed: (refusal) => malformed.push(refusal),
    ...(overrides.timeouts && { timeouts: overrides.timeouts }),
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    port: server.port,
    committed,
    quarantined,
    logged,
    refused,
    malformed,
    stopping,
    stop: (graceMs = 0) => server.stop(graceMs),
  };
};

export interface Exchange {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** Everything that came, even if it was more than one answer. */
  readonly text: string;
  /** From connecting to the end of the connection, in ms of `fairNow`. */
  readonly ms: number;
}

/**
 * Writes bytes that no HTTP client sends to a socket of its own, and reads until the other side closes it. Status 0
 * means that it closed without an answer.
 */
export const exchange = (port: number, ...writes: (string | Buffer)[]): Promise<Exchange> => {
  const startedAt = fairNow();
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => {
      for (const bytes of writes) socket.write(bytes);
    });
    socket.setTimeout(20_000, () => socket.destroy(new Error('nothing happened for 20 s')));
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // The other side may close the connection while we write. The answer came before, or never.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.on('close', () => {
      const [head = '', body = ''] = answer.split('\r\n\r\n');
      resolve({
        status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0),
        head,
        body,
        text: answer,
        ms: fairNow() - startedAt,
      });
    });
  });
};
