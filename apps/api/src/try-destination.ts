import { DESTINATION_ID, DeliveryError, deliveryId, FORMATS, type LoggedEvent, splitCallback } from '@clickrelay/core';
import { type Destination, readDestination } from '@clickrelay/queue';
import { type SampleType, sampleCallback, samples } from '@clickrelay/simulator/samples';
import { webhookConfig } from '@clickrelay/webhook-forwarder';
import { z } from 'zod';
import { notFound, RequestRefusedError } from './errors.ts';
import { operation, type Resources } from './operation.ts';
import { event } from './schemas.ts';

export const SAMPLE_TYPES = Object.keys(samples.byType) as [SampleType, ...SampleType[]];

/** Marks the body as a test, in whatever format, as the header `clickrelay-test` marks the request. */
const TEST_INTEGRATION = { integrationId: 'clickrelay-test', integrationName: 'Clickrelay test' };

const makeSample = (type: SampleType): LoggedEvent => {
  const envelope = { ...sampleCallback(type), ...TEST_INTEGRATION };
  const [logged] = splitCallback(JSON.stringify(envelope), new Date().toISOString());
  return logged as LoggedEvent;
};

/** Longer than a destination's `timeoutMs` may be. */
const TRY_DEADLINE_MS = 35_000;

export const tryDestinationOperations = [
  operation({
    method: 'post',
    path: '/v1/destinations/{id}/test',
    summary: 'Send a sample to a webhook',
    description: 'Signed, and marked as a test; no record is kept.',
    scopes: ['admin'],
    params: z.object({ id: z.string().regex(DESTINATION_ID) }),
    body: z
      .object({ type: z.enum(SAMPLE_TYPES).default('moText').describe('Which of the documented samples') })
      .prefault({}),
    deadlineMs: TRY_DEADLINE_MS,
    response: z
      .object({
        delivered: z.boolean().describe('Whether this counts as delivered'),
        status: z.int().nullable().describe('The status that the destination answered; null when it did not answer'),
        durationMs: z.int(),
        response: z.string().describe('The first 16 KB of the answer'),
        error: z.object({ code: z.string(), message: z.string() }).nullable(),
        format: z.enum(FORMATS).describe('The format of the body'),
        event: event.describe('The event that was sent'),
      })
      .meta({ id: 'TestResult' }),
    errors: { 404: 'not_found', 409: 'not_a_webhook_destination' },
    run: async ({ params: { id }, body: { type } }, { store, webhook }, { signal, audit }) => {
      const found = await readDestination(store, id);
      if (found === undefined) throw notFound('destination', id);
      if (found.type !== webhook.type) {
        throw new RequestRefusedError(
          409,
          'not_a_webhook_destination',
          `${id} is a ${found.type} destination: only webhook destinations are sent a test`,
        );
      }
      const sample = makeSample(type);
      await audit('destination.tested', id, { type });
      const { format, ...tried } = await tryDestination(webhook, found, { sample, signal });
      return { ...tried, format, event: sample.event };
    },
  }),
];

export interface Tried {
  readonly delivered: boolean;
  readonly status: number | null;
  readonly durationMs: number;
  readonly response: string;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly format: (typeof FORMATS)[number];
}

/** Makes one attempt at a webhook destination, signed and marked as a test. Keeps no record of it. */
export const tryDestination = async (
  webhook: Resources['webhook'],
  { id, config: settings }: Pick<Destination, 'id' | 'config'>,
  { sample, signal }: { sample: LoggedEvent; signal: AbortSignal },
): Promise<Tried> => {
  const config = webhookConfig.parse(settings);
  const deliverer = webhook.open(config);
  const startedAt = performance.now();
  const told = (rest: Omit<Tried, 'durationMs' | 'format'>): Tried => ({
    ...rest,
    durationMs: Math.round(performance.now() - startedAt),
    format: config.format,
  });
  try {
    const attempt = { deliveryId: deliveryId(sample.event.id, id), number: 1, event: sample, signal, isTest: true };
    return told({ delivered: true, ...(await deliverer.deliver(attempt)), error: null });
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    const { code, message, status = null, response = '' } = error;
    return told({ delivered: false, status, response, error: { code, message } });
  } finally {
    await deliverer.close();
  }
};
