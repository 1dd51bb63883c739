import { connectApi } from '../api-client.ts';
import { HIDDEN, shortTime, table } from '../format.ts';
import { type Context, nextPage, type Reveal, revealed, show } from './context.ts';

export interface ListOptions {
  limit: number;
  cursor?: string;
}

export const listQuarantine = async (options: ListOptions, context: Context): Promise<void> => {
  const page = await connectApi(context.config).call('GET /v1/quarantine', { query: options });
  show(context, page, ({ items, next }) => {
    if (items.length === 0) return 'nothing in quarantine';
    const rows = items.map(({ id, receivedAt, bytes, reason }) => [shortTime(receivedAt), id, String(bytes), reason]);
    return table(['RECEIVED', 'ID', 'BYTES', 'REASON'], rows) + nextPage(context, 'quarantine list', options, next);
  });
};

export const showQuarantined = async (id: string, options: Reveal, context: Context): Promise<void> => {
  const query = revealed(options);
  const entry = await connectApi(context.config).call('GET /v1/quarantine/{id}', { path: { id }, query });
  show(context, entry, ({ receivedAt, reason, bytes, body }) =>
    [
      id,
      `  received  ${receivedAt}`,
      `  reason    ${reason}`,
      `  bytes     ${bytes}`,
      '',
      body?.text ?? `${HIDDEN}: --reveal shows it`,
    ].join('\n'),
  );
};

export const reparseQuarantined = async (id: string, context: Context): Promise<void> => {
  const answer = await connectApi(context.config).call('POST /v1/quarantine/{id}/reparse', { path: { id } });
  show(context, answer, ({ accepted }) => `${id} is accepted now: ${accepted} event${accepted === 1 ? '' : 's'}`);
};

export const removeQuarantined = async (id: string, context: Context): Promise<void> => {
  await connectApi(context.config).call('DELETE /v1/quarantine/{id}', { path: { id } });
  show(context, { removed: id }, () => `${id} is removed`);
};
