import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Finds a TCP port of 127.0.0.1 that was free a moment ago. It lies below the range that systems use for outgoing
 * connections (from 32768 on Linux, 49152 on macOS). A server that restarts therefore finds its port still free, and a
 * client that keeps trying to connect meanwhile does not connect to itself.
 */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
};
