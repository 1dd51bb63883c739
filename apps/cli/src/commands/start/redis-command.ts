import { connect } from 'node:net';

export interface RedisAddress {
  port: number;
  password: string;
}

/** An error reply of the server: `WRONGPASS …`, `LOADING …`. */
export class RedisReplyError extends Error {
  override readonly name = 'RedisReplyError';
}

/**
 * Sends one command to our own Redis on 127.0.0.1. Without a client library, because `start` stays in memory and asks
 * only a few times.
 * @throws {RedisReplyError} when the server answers with an error
 * @throws {Error} with `code` ECONNREFUSED when nobody listens, ETIMEDOUT when the answer takes more than `timeoutMs`
 */
export const redisCommand = async (
  { port, password }: RedisAddress,
  command: string[],
  timeoutMs = 2000,
): Promise<string | string[]> => {
  const replies = await exchange(port, `${encode(['AUTH', password])}${encode(command)}`, timeoutMs);
  const reply = replies.find((one) => one instanceof Error) ?? replies[1];
  if (reply instanceof Error) throw reply;
  return reply as string | string[];
};

type Reply = string | string[] | RedisReplyError;

const exchange = (port: number, text: string, timeoutMs: number): Promise<Reply[]> =>
  new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const timer = setTimeout(() => {
      end(() => reject(Object.assign(new Error(`no answer in ${timeoutMs} ms`), { code: 'ETIMEDOUT' })));
    }, timeoutMs);
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk;
      const replies = decode(received);
      if (replies.length >= 2) end(() => resolve(replies));
    });
    socket.once('error', (error) => end(() => reject(error)));
    socket.once('close', () => end(() => reject(Object.assign(new Error('closed early'), { code: 'ECONNRESET' }))));
  });

const encode = (words: string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;

/** Reads the complete replies at the start of a RESP2 text, in which each character stands for a byte. */
const decode = (text: string): Reply[] => {
  const replies: Reply[] = [];
  let at = 0;
  const line = (): string | undefined => {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const found = text.slice(at, end);
    at = end + 2;
    return found;
  };
  const one = (): Reply | undefined => {
    const head = line();
    if (head === undefined) return undefined;
    const rest = head.slice(1);
    if (head[0] === '-') return new RedisReplyError(rest);
    if (head[0] === '+' || head[0] === ':') return rest;
    if (head[0] === '$') {
      const length = Number(rest);
      if (length < 0) return '';
      if (text.length < at + length + 2) return undefined;
      const bulk = Buffer.from(text.slice(at, at + length), 'latin1').toString('utf8');
      at += length + 2;
      return bulk;
    }
    const items: string[] = [];
    for (let n = Number(rest); n > 0; n--) {
      const item = one();
      if (typeof item !== 'string') return undefined;
      items.push(item);
    }
    return items;
  };
  for (;;) {
    const reply = one();
    if (reply === undefined) return replies;
    replies.push(reply);
  }
};
