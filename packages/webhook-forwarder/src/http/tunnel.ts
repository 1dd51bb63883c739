import type { Socket } from 'node:net';
import { DeliveryError } from '@clickrelay/core';
import { AnswerReader } from './read-answer.ts';

/** A proxy that connections go through. */
export interface ProxySettings {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

export interface TunnelOptions {
  readonly proxy: ProxySettings;
  /** Host and port to reach. */
  readonly target: string;
  readonly timeoutMs: number;
}

/**
 * Asks a proxy for a tunnel (CONNECT, RFC 9110, section 9.3.6).
 * @param socket connected to the proxy; afterwards to the target, or destroyed
 */
export const openTunnel = (
  socket: Socket,
  { proxy, target, timeoutMs }: TunnelOptions,
  callback: (error: Error | null) => void,
): void => {
  const answer = new AnswerReader();
  const end = (error: Error | null): void => {
    clearTimeout(timer);
    socket.off('data', onData).off('error', onError).off('close', onClose);
    socket.pause();
    if (error !== null) socket.destroy();
    callback(error);
  };
  const refuse = (why: string, cause: string): void => end(refusal(target, proxy, why, cause));
  const onData = (bytes: Buffer): void => {
    answer.read(bytes);
    const { status } = answer;
    if (answer.isNone) refuse('sent no HTTP answer', 'NOT_HTTP');
    else if (status > 299) refuse(`answered ${status}`, 'PROXY_REFUSED');
    else if (answer.hasHead) end(null);
  };
  const onError = ({ code = 'UNKNOWN' }: NodeJS.ErrnoException): void =>
    refuse(`broke off (${code})`, 'PROXY_BROKE_OFF');
  const onClose = (): void => refuse('closed the connection', 'PROXY_BROKE_OFF');
  const timer = setTimeout(() => refuse('did not answer in time', 'PROXY_TIMEOUT'), timeoutMs);
  socket.on('data', onData).on('error', onError).on('close', onClose);
  socket.write(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n${credentials(proxy)}\r\n`);
};

const credentials = ({ username, password }: ProxySettings): string =>
  username === undefined
    ? ''
    : `proxy-authorization: Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}\r\n`;

const refusal = (target: string, proxy: ProxySettings, why: string, cause: string): DeliveryError =>
  new DeliveryError(
    'destination_unreachable',
    `no answer from ${target}: the proxy ${new URL(proxy.url).host} ${why}`,
    {
      retryable: true,
      cause,
    },
  );
