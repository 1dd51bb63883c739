import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Whether bytes follow the headers: HTTP/1.1 says so in one of these two, or there are none. */
export const announcesBody = (request: IncomingMessage): boolean =>
  request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;

/** For an answer that goes out before its request has come in: what the sender still wants to send is neither read nor waited for. */
export const closeIfUnread = (request: IncomingMessage, response: ServerResponse): void => {
  if (request.complete || !announcesBody(request)) return;
  response.setHeader('Connection', 'close');
  lingerOnClose(request.socket);
};

/** How long a sender may take to read a refusal, in ms. */
const LINGER_MS = 1_000;

/**
 * A socket that is closed while bytes still come in is reset by the kernel, and a sender in the middle of its body may
 * lose the 401 or 413 it was sent. So it stays for a moment when the answer is out: open, but not read from.
 */
const lingerOnClose = (socket: Socket): void => {
  socket.destroySoon = () => {
    socket.end();
    // Not at once: Node is about to resume the request, to throw its body away.
    setImmediate(() => socket.pause());
    setTimeout(() => socket.destroy(), LINGER_MS);
  };
};
