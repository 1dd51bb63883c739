import {
  ApiError,
  ApiUnreachableError,
  type Client,
  createClient,
  type ItemOf,
  type ListOperation,
  type RequestOf,
} from '@clickrelay/client';
import type { Config } from './config.ts';
import { readRunFile, readSecrets } from './data-dir.ts';
import { CommandError, EXIT, type ExitCode } from './errors.ts';
import { isLoopback } from './loopback.ts';

export interface Api extends Pick<Client, 'call'> {
  readonly url: string;
  /** Reads every page of a list. */
  all<Name extends ListOperation>(operation: Name, request: RequestOf<Name>): Promise<ItemOf<Name>[]>;
}

/** Connects to the API of this machine, or to the one that API_URL and API_KEY name. It throws command errors. */
export const connectApi = (config: Config): Api => {
  const url = (config.API_URL ?? readRunFile(config.DATA_DIR)?.apiUrl ?? `http://127.0.0.1:${config.API_PORT}`).replace(
    /\/+$/,
    '',
  );
  // The key in DATA_DIR belongs to the API on this machine: no other host gets it.
  const key = config.API_KEY || (isLoopback(url) ? readSecrets(config.DATA_DIR).apiKey : undefined);
  const client = createClient({ url, key });
  const told = (error: unknown): unknown => {
    if (error instanceof ApiUnreachableError) return notReached(url, config.CLICKRELAY_COMMAND, error);
    return error instanceof ApiError ? refusal(error, url, key !== undefined) : error;
  };
  return {
    url,
    call: async (...request) => {
      try {
        return await client.call(...request);
      } catch (error) {
        throw told(error);
      }
    },
    all: async (operation, request) => {
      const items: ItemOf<typeof operation>[] = [];
      try {
        // TypeScript cannot see that the operation and the item belong together.
        const walk = client.items as (name: ListOperation, what: object) => AsyncGenerator<(typeof items)[number]>;
        for await (const item of walk(operation, request)) items.push(item);
      } catch (error) {
        throw told(error);
      }
      return items;
    },
  };
};

/** What an API answers that cannot use its Redis: why the rest is not known. Whatever else is wrong is thrown. */
export const whyUnread = (error: unknown): CommandError => {
  if (error instanceof CommandError && ['queue_unavailable', 'store_lost'].includes(error.code)) return error;
  throw error;
};

const notReached = (url: string, command: string, error: ApiUnreachableError): CommandError => {
  const { cause } = (error.cause ?? {}) as { cause?: { code?: string } };
  if (cause?.code === 'ECONNREFUSED') {
    return new CommandError(
      'not_running',
      `clickrelay is not running here: nothing answers at ${url}; ` +
        `start it with \`${command} start\`, or set API_URL and API_KEY to where it runs`,
      { cause: error, exitCode: EXIT.unreachable },
    );
  }
  return new CommandError('api_unreachable', error.message, { cause: error, exitCode: EXIT.unreachable });
};

/** What a command ends with when the API answers this status. */
const exitCodeOf = (status: number): ExitCode => {
  if (status === 400) return EXIT.usage;
  if (status === 404) return EXIT.notFound;
  if (status >= 502) return EXIT.unreachable;
  return status >= 500 ? EXIT.wrong : EXIT.refused;
};

const refusal = ({ status, code, message, issues }: ApiError, url: string, hadKey: boolean): CommandError => {
  if (status === 401) {
    const why = hadKey ? 'refuses the key from API_KEY or DATA_DIR' : 'wants a key, and none was found';
    return new CommandError(
      'unauthorized',
      `the API at ${url} ${why}; set API_KEY, or DATA_DIR to the folder it runs with`,
      { exitCode: EXIT.refused },
    );
  }
  // A receiver or some other program answered: the API itself names what it did not find.
  if (status === 404 && message.startsWith('nothing is served')) {
    return new CommandError(code, `the program at ${url} is not the API of Clickrelay: ${message}; is API_URL right?`, {
      exitCode: EXIT.unreachable,
    });
  }
  return new CommandError(code, message, { issues, exitCode: exitCodeOf(status) });
};
