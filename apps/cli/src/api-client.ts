import type { Config } from './config.ts';
import { readRunFile, readSecrets } from './data-dir.ts';
import { CommandError } from './errors.ts';
import { isLoopback } from './loopback.ts';

export interface Api {
  readonly url: string;
  get<T>(path: string, query?: Record<string, string | number | undefined>): Promise<T>;
  put<T>(path: string, body: unknown): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  patch<T>(path: string, body: unknown): Promise<T>;
  delete(path: string): Promise<void>;
}

/** A page of a list. */
export interface Page<T> {
  items: T[];
  next: string | null;
}

/** The API of this machine, or the one that API_URL and API_KEY name. */
export function connectApi(config: Config): Api {
  const url = (config.API_URL ?? readRunFile(config.DATA_DIR)?.apiUrl ?? `http://127.0.0.1:${config.API_PORT}`).replace(
    /\/+$/,
    '',
  );
  // The key kept here is for the API here; another one is not told it.
  const key = config.API_KEY || (isLoopback(url) ? readSecrets(config.DATA_DIR).apiKey : undefined);

  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers = {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, {
        method,
        headers,
        signal: AbortSignal.timeout(30_000),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw notReached(url, config.CLICKRELAY_COMMAND, error);
    }
    const text = await response.text();
    if (!response.ok) throw refusal(response.status, text, url, key !== undefined);
    return (text === '' ? undefined : parseAnswer(text, url)) as T;
  }

  return {
    url,
    get: (path, query = {}) => {
      const set = Object.entries(query).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, String(value)]],
      );
      return call('GET', set.length === 0 ? path : `${path}?${new URLSearchParams(Object.fromEntries(set))}`);
    },
    put: (path, body) => call('PUT', path, body),
    post: (path, body) => call('POST', path, body),
    patch: (path, body) => call('PATCH', path, body),
    delete: (path) => call('DELETE', path),
  };
}

function notReached(url: string, command: string, error: unknown): CommandError {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  if (cause?.code === 'ECONNREFUSED') {
    return new CommandError(
      'not_running',
      `clickrelay is not running here: nothing answers at ${url}; start it with \`${command} start\`, or set API_URL and API_KEY to where it runs`,
      { cause: error },
    );
  }
  return new CommandError('api_unreachable', `the API at ${url} gives no answer: ${cause?.message ?? message}`, {
    cause: error,
  });
}

function refusal(status: number, text: string, url: string, hadKey: boolean): CommandError {
  if (status === 401) {
    const why = hadKey ? 'refuses the key from API_KEY or DATA_DIR' : 'wants a key, and none was found';
    return new CommandError(
      'unauthorized',
      `the API at ${url} ${why}; set API_KEY, or DATA_DIR to the folder it runs with`,
    );
  }
  let error: { code?: string; message?: string; issues?: { path?: string; message?: string }[] } = {};
  try {
    error = (JSON.parse(text) as { error?: typeof error }).error ?? {};
  } catch {
    // Something that is not our API, a proxy perhaps.
  }
  const issues = (error.issues ?? []).map(({ path, message }) => `\n  ${path ? `${path}: ` : ''}${message}`).join('');
  return new CommandError(
    error.code ?? 'api_error',
    (error.message ?? `the API at ${url} answered ${status}`) + issues,
  );
}

function parseAnswer(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CommandError('api_error', `what answers at ${url} is not Clickrelay's API`, { cause: error });
  }
}
