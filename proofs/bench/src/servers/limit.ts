import { createServer } from 'node:http';
import { Redis } from 'ioredis';

/*
 * The limit: what Node and one durable Redis can do when they do nothing else. No authentication, no schema, no router:
 * the body is parsed only to check that it is JSON, and stored by one XADD. XADDs are pipelined, so none waits for the
 * answer to another. With BATCH, those of one turn of the event loop also share one write.
 */
const redis = new Redis(process.env['REDIS_URL'] as string, { enableAutoPipelining: process.env['BATCH'] === '1' });

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const text = Buffer.concat(chunks).toString();
    JSON.parse(text);
    await redis.xadd('limit', '*', 'callback', text);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"accepted":1}');
  });
}).listen(Number(process.env['PORT']), '127.0.0.1', () => process.send?.('ready'));
