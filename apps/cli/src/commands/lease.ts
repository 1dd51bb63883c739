import type { Lease } from '@clickrelay/client';
import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { wholeNumber } from '../arguments.ts';
import { addCommand } from '../command.ts';
import { usageError } from '../errors.ts';
import { gist, parties } from '../format.ts';
import { shortTime } from '../time.ts';
import { type Context, show } from './context.ts';

export const registerLease = (program: Command): Command =>
  addCommand(program, {
    usage: 'lease <destination>',
    about: 'lease from a pull destination by hand, as a consumer does',
    example: 'lease support-bot --wait-ms 10000 --ack',
    run: ([id], options: LeaseOptions, context) => lease(id as string, options, context),
  })
    .option('--max <n>', 'the most to lease', wholeNumber, 1)
    .option('--wait-ms <ms>', 'how long to wait for the first one, up to 25000 (default: not at all)', wholeNumber)
    .option('--lease-ms <ms>', 'how long each lease lasts (default: 30000)', wholeNumber)
    .option('--ack', 'ack them')
    .option('--nack <error>', 'give them back with this error');

interface LeaseOptions {
  max: number;
  waitMs?: number;
  leaseMs?: number;
  ack?: boolean;
  nack?: string;
}

type Leased = Lease & {
  /** What the API made of our ack or nack. */
  answered?: { state: string; nextAttemptAt?: string };
};

/** Leases as a consumer does, and acks or nacks if asked to. */
const lease = async (destination: string, options: LeaseOptions, context: Context): Promise<void> => {
  const { max, waitMs, leaseMs, ack = false, nack } = options;
  if (ack && nack !== undefined) throw usageError('give --ack or --nack, not both');
  const api = connectApi(context.config);
  const path = { id: destination };
  const body = { max, ...(waitMs !== undefined && { waitMs }), ...(leaseMs !== undefined && { leaseMs }) };
  const { deliveries }: { deliveries: Leased[] } = await api.call('POST /v1/destinations/{id}/lease', { path, body });
  for (const taken of deliveries) {
    const { deliveryId, leaseToken } = taken;
    if (ack)
      taken.answered = await api.call('POST /v1/destinations/{id}/ack', { path, body: { deliveryId, leaseToken } });
    if (nack !== undefined) {
      const refused = { deliveryId, leaseToken, error: nack };
      taken.answered = await api.call('POST /v1/destinations/{id}/nack', { path, body: refused });
    }
  }
  show(context, { deliveries }, () =>
    deliveries.length === 0 ? `nothing to lease from ${destination}` : deliveries.map(describe).join('\n'),
  );
};

const describe = ({ deliveryId, leaseToken, attempt, leaseEndsAt, event, answered }: Leased): string => {
  const next = answered?.nextAttemptAt === undefined ? '' : `, next attempt ${shortTime(answered.nextAttemptAt)}`;
  return [
    `${deliveryId}  attempt ${attempt}`,
    `  ${[event.type, parties(event), gist(event)].filter((part) => part !== '').join('  ')}`,
    answered === undefined
      ? `  leased until ${shortTime(leaseEndsAt)} with the token ${leaseToken}`
      : `  ${answered.state}${next}`,
  ].join('\n');
};
