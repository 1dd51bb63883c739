import { type IngestGroup, ingestQueue, type Store } from '@clickrelay/queue';
import { freePort } from '@clickrelay/service/machine';
import { type Program, startProgram } from '@clickrelay/testkit';

export const MAIN = new URL('../src/main.ts', import.meta.url).pathname;

interface ReceiverProgram extends Program {
  readonly port: number;
  readonly url: string;
}

interface ReceiverProgramOptions {
  readonly redisUrl: string;
  /** Besides where it listens and which Redis it uses. */
  readonly environment?: Record<string, string>;
  /** @default a free one */
  readonly port?: number;
  /** Resolves when this is answered 200. @default 'readyz' */
  readonly until?: 'readyz' | 'healthz';
  /** Before the program's own file. */
  readonly nodeArgs?: readonly string[];
}

/** The receiver as a process of its own on 127.0.0.1, on a real Redis. */
export const startReceiverProgram = async ({
  redisUrl,
  environment = {},
  port: wanted,
  until = 'readyz',
  nodeArgs = [],
}: ReceiverProgramOptions): Promise<ReceiverProgram> => {
  const port = wanted ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  const program = await startProgram({
    args: [...nodeArgs, MAIN],
    env: { HOST: '127.0.0.1', PORT: String(port), REDIS_URL: redisUrl, CALLBACK_AUTH: 'query:s3cret', ...environment },
    ipc: true,
    readyUrl: `${url}/${until}`,
  });
  return { ...program, port, url };
};

/** The texts of all callbacks in the ingest queues, repeated ones included. */
export const readCommitted = async (store: Store): Promise<string[]> => {
  const texts: string[] = [];
  for (const lane of ['messages', 'statuses'] as const) {
    for (const { data } of await store.queue(ingestQueue(lane)).getJobs('waiting')) {
      texts.push(...(data as IngestGroup).callbacks.map(({ text }) => text));
    }
  }
  return texts;
};
