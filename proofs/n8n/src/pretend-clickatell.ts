import type { Buffer } from 'node:buffer';
import { createHash, randomBytes } from 'node:crypto';
import { type Destination, type ReceivedRequest, startDestination } from '@clickrelay/testkit';

export interface PretendClickatell {
  /** In place of `https://platform.clickatell.com`. */
  readonly url: string;
  readonly apiKey: string;
  /** A file to download, and how callbacks describe it. */
  readonly file: { bytes: Buffer; contentType: string; fileName: string; sha256Hash: string; downloadUrl: string };
  /** The requests received, oldest first; of one path if given. */
  requests(path?: string): ReceivedRequest[];
  /** It takes messages, and the answers to them get lost. */
  losesAnswers: boolean;
  close(): Promise<void>;
}

/**
 * Clickatell's side of the One API: send, message status, balance, read receipts and media. It expects the key as
 * Clickatell does, raw in `Authorization`, and answers in Clickatell's formats.
 */
export const startPretendClickatell = async (): Promise<PretendClickatell> => {
  const apiKey = `pretend-${randomBytes(12).toString('base64url')}==`;
  const bytes = randomBytes(50_000);
  const sha256Hash = createHash('sha256').update(bytes).digest('hex');
  const accepted = new Map<string, Record<string, unknown>>();

  const accept = (message: Record<string, unknown>): Record<string, unknown> => {
    const apiMessageId = randomBytes(16).toString('hex');
    accepted.set(apiMessageId, message);
    const { to, clientMessageId } = message;
    return {
      apiMessageId,
      accepted: true,
      to,
      ...(clientMessageId === undefined ? {} : { clientMessageId }),
      error: null,
    };
  };

  const server: Destination = await startDestination({
    answer: ({ method, path, headers, body }) => {
      if (headers.authorization !== apiKey) {
        return json(401, { messages: [], error: { code: 1, description: 'Invalid or missing API key' } });
      }
      const { pathname, searchParams } = new URL(path, 'http://localhost');
      if (method === 'POST' && pathname === '/v1/message') {
        const { messages } = JSON.parse(body) as { messages: Record<string, unknown>[] };
        if (pretend.losesAnswers) return 'hang';
        return json(202, { messages: messages.map(accept), error: null });
      }
      if (method === 'GET' && pathname.startsWith('/v1/message/')) {
        const message = accepted.get(pathname.slice('/v1/message/'.length));
        if (message === undefined) return json(404, { error: { code: 41, description: 'Resource not found' } });
        return json(200, { [String(message['channel'])]: { status: 'DEVICE_ACK', timestamp: Date.now() } });
      }
      if (method === 'GET' && pathname === '/v1/balance') return json(200, { balance: 12.5, currency: 'USD' });
      if (method === 'POST' && pathname === '/v1/notification') {
        return json(202, {
          notifications: [{ apiEventId: randomBytes(16).toString('hex'), accepted: true, error: null }],
        });
      }
      if (method === 'GET' && pathname === '/v1/media' && searchParams.get('sha256Hash') === sha256Hash) {
        return { status: 200, headers: { 'content-type': 'image/jpeg' }, body: bytes };
      }
      return json(404, { error: { code: 41, description: 'Resource not found' } });
    },
  });

  const url = server.url.replace(/\/$/, '');
  const pretend: PretendClickatell = {
    url,
    apiKey,
    file: {
      bytes,
      contentType: 'image/jpeg',
      fileName: 'garden.jpg',
      sha256Hash,
      downloadUrl: `${url}/v1/media?fileId=${randomBytes(16).toString('hex')}&sha256Hash=${sha256Hash}&source=media`,
    },
    requests: (path) => server.requests.filter((request) => path === undefined || request.path.split('?')[0] === path),
    losesAnswers: false,
    close: server.close,
  };
  return pretend;
};

const json = (status: number, body: unknown) => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
