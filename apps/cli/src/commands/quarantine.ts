import type { Quarantined } from '@clickrelay/queue';
import { connectApi, type Page } from '../api-client.ts';
import { shortTime, table } from '../format.ts';
import { type Context, show } from './context.ts';

export interface ListOptions {
  limit: number;
  cursor?: string;
}

/** As the API tells one: `body` is the bytes twice, as far as they are text and in base64. */
type QuarantinedWithBody = Quarantined & { body: { text: string; base64: string } | null };

const pathOf = (id: string) => `/v1/quarantine/${encodeURIComponent(id)}`;

export async function listQuarantine(options: ListOptions, context: Context): Promise<void> {
  const page = await connectApi(context.config).get<Page<Quarantined>>('/v1/quarantine', { ...options });
  show(context, page, ({ items, next }) => {
    if (items.length === 0) return 'nothing in quarantine';
    const rows = items.map(({ id, receivedAt, bytes, reason }) => [shortTime(receivedAt), id, String(bytes), reason]);
    const more = next === null ? '' : `\nmore: ${context.config.CLICKRELAY_COMMAND} quarantine list --cursor ${next}`;
    return table(['RECEIVED', 'ID', 'BYTES', 'REASON'], rows) + more;
  });
}

export async function showQuarantined(id: string, context: Context): Promise<void> {
  const entry = await connectApi(context.config).get<QuarantinedWithBody>(pathOf(id));
  show(context, entry, ({ receivedAt, reason, bytes, body }) =>
    [
      id,
      `  received  ${receivedAt}`,
      `  reason    ${reason}`,
      `  bytes     ${bytes}`,
      '',
      body?.text ?? '(hidden)',
    ].join('\n'),
  );
}

export async function reparseQuarantined(id: string, context: Context): Promise<void> {
  const answer = await connectApi(context.config).post<{ accepted: number }>(`${pathOf(id)}/reparse`);
  show(context, answer, ({ accepted }) => `${id} is accepted now: ${accepted} event${accepted === 1 ? '' : 's'}`);
}

export async function removeQuarantined(id: string, context: Context): Promise<void> {
  await connectApi(context.config).delete(pathOf(id));
  show(context, { removed: id }, () => `${id} is removed`);
}
