import { once } from 'node:events';
import { createServer, type RequestListener, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface ServeOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly timeouts?: Partial<typeof TIMEOUTS>;
  /** Called for requests that are not HTTP, or did not arrive in time: no step of the app ever sees them. */
  readonly onMalformed?: (refusal: Malformed) => void;
}

export interface Malformed {
  readonly status: number;
  readonly code: string;
}

export interface Server {
  readonly host: string;
  readonly port: number;
  /** Takes no new connections, lets requests finish, and cuts those that have not finished after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** In ms. Node's defaults would keep a silent socket for more than 45 s. */
const TIMEOUTS = {
  headersTimeout: 5_000,
  requestTimeout: 15_000,
  /** How often the two timeouts above are checked. */
  connectionsCheckingInterval: 1_000,
  /** `KEEP_ALIVE_TIMEOUT` */
  keepAliveTimeout: 620_000,
  /**
   * For a socket on which nothing moves while an answer is due: a caller that sends request after request and reads no
   * answer. Longer than reading (15 s) and committing (2 s) may take together.
   */
  timeout: 20_000,
};

/** By Node's error code; anything else is not HTTP. */
const MALFORMED: Readonly<Record<string, Malformed & { message: string }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, code: 'headers_too_large', message: 'headers may be 16 KB together' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'request_timeout', message: 'the request did not come in time' },
};
const NO_HTTP = { status: 400, code: 'malformed_request', message: 'this is not an HTTP/1.1 request' };

/** Opens the port. */
export const serve = async (listener: RequestListener, options: ServeOptions): Promise<Server> => {
  const { timeout, ...timeouts } = { ...TIMEOUTS, ...options.timeouts };
  const server = createServer(timeouts, listener);
  server.timeout = timeout;
  // Without this listener Node says "100 Continue" before the credential is checked.
  server.on('checkContinue', listener);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuse(error, socket as Socket, options));
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
};

/** Answers in the shape of every other refusal. Repeats nothing of what was sent: it may be anything. */
const refuse = (error: NodeJS.ErrnoException, socket: Socket, { onMalformed }: ServeOptions): void => {
  // The sender went away, or has an answer on its way.
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const { status, code, message } = MALFORMED[error.code ?? ''] ?? NO_HTTP;
  const body = JSON.stringify({ error: { code, message } });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
  onMalformed?.({ status, code });
};
