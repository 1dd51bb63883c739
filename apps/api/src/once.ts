import { STATUS_TYPE } from '@clickrelay/core';
import { once, readEventsOfMessage, type Store } from '@clickrelay/queue';
import { z } from 'zod';
import { operation } from './operation.ts';

type Claim = Awaited<ReturnType<typeof once.claim>>[number];

/** What one request may claim or settle: as many messages as Clickatell takes at once. */
const MOST = 100;

const key = z.string().min(1).max(200).describe('Your name of the work. Keys of other API keys are never yours');

const claim = z
  .discriminatedUnion('state', [
    z.object({
      key: z.string(),
      state: z.literal('yours').describe('Do it now'),
      token: z.string().describe('Settles the claim'),
    }),
    z.object({
      key: z.string(),
      state: z.literal('done').describe('Do not do it again'),
      result: z.string().describe('As settled; or the id of a message whose `clientMessageId` is the key'),
    }),
    z.object({
      key: z.string(),
      state: z.literal('busy').describe('Somebody is at it'),
      retryAfterMs: z.number().describe('When they are done, or nobody knows'),
    }),
    z.object({
      key: z.string(),
      state: z.literal('unknown').describe('Somebody claimed it and disappeared, or does not know whether it is done'),
    }),
  ])
  .meta({ id: 'OnceClaim' });

/** The id of a message with this client message id, if a status of it came: then it was sent. */
const findSent = async (store: Store, clientMessageId: string): Promise<string | undefined> => {
  const { events } = await readEventsOfMessage(store, clientMessageId);
  for (const { event } of events) {
    const isOurs = event.type === STATUS_TYPE && event.clientMessageId === clientMessageId;
    if (isOurs && event.messageId !== null) return event.messageId;
  }
  return undefined;
};

const lookUp = async (store: Store, name: string, told: Claim): Promise<Claim> => {
  if (told.state !== 'unknown') return told;
  const messageId = await findSent(store, name);
  return messageId === undefined ? told : { state: 'done', result: messageId };
};

export const onceOperations = [
  operation({
    method: 'post',
    path: '/v1/once',
    summary: 'Claim work that must be done once',
    description: 'Each key on its own. A record is kept for `EVENT_RETENTION`.',
    scopes: ['lease'],
    body: z.object({
      keys: z.array(key).min(1).max(MOST),
      holdMs: z.int().min(1_000).max(600_000).default(60_000).describe('After that, nobody knows whether it was done'),
      takeOver: z.boolean().default(false).describe('Whether to claim also what nobody knows the end of'),
    }),
    response: z.object({ claims: z.array(claim).describe('In the order of the keys') }),
    run: async ({ body: { keys, holdMs, takeOver } }, { store, onceMs }, { caller }) => {
      const how = { holdMs, keepMs: onceMs };
      const first = await once.claim(store, caller.name, keys, { ...how, takeOver: false });
      const told = await Promise.all(first.map((one, at) => lookUp(store, keys[at] as string, one)));
      const left = takeOver ? keys.filter((_, at) => told[at]?.state === 'unknown') : [];
      const taken = await once.claim(store, caller.name, left, { ...how, takeOver: true });
      return {
        claims: keys.map((name, at) => ({
          key: name,
          ...((left.includes(name) ? taken[left.indexOf(name)] : told[at]) as Claim),
        })),
      };
    },
  }),
  operation({
    method: 'post',
    path: '/v1/once/settle',
    summary: 'Say what became of claimed work',
    description: 'Repeating it is safe.',
    scopes: ['lease'],
    body: z.object({
      outcomes: z
        .array(
          z.object({
            key,
            token: z.string().max(200).describe('The token that came with the claim'),
            outcome: z
              .enum(['done', 'not_done', 'unknown'])
              .describe('`not_done` lets others claim it; `unknown` when it may have been done'),
            result: z.string().max(200).default('').describe('Told to whoever claims it later. No personal data'),
          }),
        )
        .min(1)
        .max(MOST),
    }),
    response: z.object({
      outcomes: z
        .array(
          z.object({
            key: z.string(),
            settled: z.boolean().describe('False when the claim is not yours: it took too long, and another has it'),
          }),
        )
        .describe('In the order of the request'),
    }),
    run: async ({ body: { outcomes } }, { store, onceMs }, { caller }) => {
      const settled = await once.settle(store, caller.name, outcomes, { keepMs: onceMs });
      return { outcomes: outcomes.map((one, at) => ({ key: one.key, settled: settled[at] === true })) };
    },
  }),
];
