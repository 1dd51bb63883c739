import type { DeadLetter } from '@clickrelay/client';
import { connectApi } from '../api-client.ts';
import { attemptLine, deliveryState, shortTime, table } from '../format.ts';
import { type Context, nextPage, type Reveal, revealed, show } from './context.ts';

export interface ListOptions extends Reveal {
  destination?: string;
  /** The API says which there are. */
  kind?: DeadLetter['kind'];
  limit: number;
  cursor?: string;
}

export async function listDeadLetters(options: ListOptions, context: Context): Promise<void> {
  const query = { ...options, ...revealed(options) };
  const page = await connectApi(context.config).call('GET /v1/dead-letters', { query });
  show(context, page, ({ items, next }) => {
    if (items.length === 0) return 'no dead letters';
    const rows = items.map((letter) => [
      shortTime(letter.failedAt),
      letter.destinationId,
      letter.eventType,
      letter.kind.replaceAll('_', ' '),
      letter.deliveryId,
      String(letter.attempts),
      letter.error,
    ]);
    const { CLICKRELAY_COMMAND: command } = context.config;
    const more = nextPage(context, 'dead-letters list', options, next);
    return `${table(['FAILED', 'DESTINATION', 'TYPE', 'KIND', 'DELIVERY', 'TRIES', 'ERROR'], rows)}${more}\nsend one again: ${command} replay ${items[0]?.deliveryId}`;
  });
}

export async function showDeadLetter(deliveryId: string, options: Reveal, context: Context): Promise<void> {
  const delivery = await connectApi(context.config).call('GET /v1/deliveries/{id}', {
    path: { id: deliveryId },
    query: revealed(options),
  });
  show(context, delivery, (found) =>
    [
      found.id,
      `  ${deliveryState(found)}`,
      `  event ${found.eventId}`,
      ...found.attempts.flatMap((attempt) => [
        `  ${attemptLine(attempt)}`,
        ...(attempt.response === '' ? [] : attempt.response.split('\n').map((line) => `    | ${line}`)),
      ]),
    ].join('\n'),
  );
}

export async function removeDeadLetter(deliveryId: string, context: Context): Promise<void> {
  await connectApi(context.config).call('DELETE /v1/dead-letters/{deliveryId}', { path: { deliveryId } });
  show(context, { removed: deliveryId }, () => `${deliveryId} is removed`);
}
