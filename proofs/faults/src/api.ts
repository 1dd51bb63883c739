import { fileURLToPath } from 'node:url';
import { freePort } from '@clickrelay/service/machine';
import { PERSON_KEY } from '@clickrelay/testkit';
import { createPart, type Part } from './part.ts';
import type { Rig } from './rig.ts';
import type { Run } from './run.ts';

const API_KEY = 'faults-faults-faults';

/** An API process on the rig's Redis. */
export interface Api {
  readonly part: Part;
  /**
   * @param key @default one that may do everything
   * @returns status 0 when there is no answer
   */
  call(method: string, path: string, body?: object, key?: string): Promise<ApiAnswer>;
}

export interface ApiAnswer {
  readonly status: number;
  // Rows look at any field of an answer.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any;
}

export const startApi = async (run: Run, rig: Rig): Promise<Api> => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const part = createPart({
    args: [fileURLToPath(import.meta.resolve('@clickrelay/api/main'))],
    env: { PERSON_KEY, REDIS_URL: rig.redis.url, API_PORT: String(port), API_KEY, EGRESS_ALLOW: '127.0.0.0/8' },
    readyUrl: `${url}/healthz`,
  });
  run.defer(() => part.kill());
  await part.start();
  return {
    part,
    call: async (method, path, body, key = API_KEY) => {
      try {
        const response = await fetch(`${url}${path}`, {
          method,
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(60_000),
        });
        const text = await response.text();
        return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
      } catch {
        return { status: 0, body: undefined };
      }
    },
  };
};
