import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ServeOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly timeouts?: Partial<typeof TIMEOUTS>;
}

export interface Server {
  readonly host: string;
  readonly port: number;
  /** Takes no new connection, ends what is under way, and cuts what has not ended after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** In ms. Node's own would keep a socket that says nothing for more than 45 s. */
const TIMEOUTS = {
  headersTimeout: 5_000,
  requestTimeout: 15_000,
  /** How often the two above are looked at. */
  connectionsCheckingInterval: 1_000,
  /** Longer than the 60 s for which proxies keep idle connections, so that they close first and never send into a closed one. */
  keepAliveTimeout: 65_000,
};

/** Opens the port. */
export async function serve(listener: RequestListener, options: ServeOptions): Promise<Server> {
  const server = createServer({ ...TIMEOUTS, ...options.timeouts }, listener);
  // Without this listener Node says "100 Continue" before the credential has been looked at.
  server.on('checkContinue', listener);
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;

  return {
    host: address,
    port,
    stop: async (graceMs) => {
      const closed = once(server, 'close');
      server.close();
      const cut = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(cut);
    },
  };
}
