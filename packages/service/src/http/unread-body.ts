import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Whether bytes follow the headers: in HTTP/1.1 one of these two headers says so, or there are none. */
export const announcesBody = (request: IncomingMessage): boolean =>
  request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;

/** For an answer that goes out before its request has arrived: the rest of the body is neither read nor waited for. */
export const closeIfUnread = (request: IncomingMessage, response: ServerResponse): void => {
  if (request.complete || !announcesBody(request)) return;
  response.setHeader('Connection', 'close');
  lingerOnClose(request.socket);
};

/** How long a sender may take to read a refusal, in ms. */
const LINGER_MS = 1_000;

/**
 * The kernel resets a socket that is closed while bytes still come in, and a sender in the middle of its body may then
 * lose the 401 or 413 it was sent. So the socket stays open for a moment after the answer, without being read.
 */
const lingerOnClose = (socket: Socket): void => {
  socket.destroySoon = () => {
    socket.end();
    // Later, because Node is about to resume the request in order to discard its body.
    setImmediate(() => socket.pause());
    setTimeout(() => socket.destroy(), LINGER_MS);
  };
};
