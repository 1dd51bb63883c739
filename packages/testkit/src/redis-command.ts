import { connect } from 'node:net';

/**
 * Sends a command to a Redis on 127.0.0.1 and resolves with the raw reply.
 * @throws {Error} when Redis answers with an error, or not within five seconds
 */
export const redisCommand = (port: number, ...args: (string | number)[]): Promise<string> =>
  new Promise((resolve, reject) => {
    let reply = '';
    const socket = connect(port, '127.0.0.1', () => {
      const parts = args.map((arg) => `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`);
      socket.write(`*${args.length}\r\n${parts.join('')}`);
    });
    socket.setEncoding('utf8');
    socket.setTimeout(5_000, () => socket.destroy(new Error(`${args[0]}: no answer from the Redis on port ${port}`)));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`${args[0]}: the Redis on port ${port} closed the connection`)));
    socket.on('data', (text: string) => {
      reply += text;
      const [head = ''] = reply.split('\r\n', 1);
      // A bulk reply says how long it is; all other replies here are one line, or an array that arrives in one piece.
      const length = head.startsWith('$') ? Number(head.slice(1)) : 0;
      if (!reply.endsWith('\r\n') || Buffer.byteLength(reply) < head.length + 2 + length) return;
      socket.end();
      if (head.startsWith('-')) reject(new Error(`${args[0]}: ${head.slice(1)}`));
      else resolve(reply);
    });
  });
