import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOUR_MS, parseDuration, toIso } from '@clickrelay/core';
import {
  type CredentialRecord,
  listReceivers,
  openCredentialRecords,
  type Receiver,
  type Store,
} from '@clickrelay/queue';
import { type CallbackCredential, credentialDigest } from '@clickrelay/service/settings';
import { z } from 'zod';
import { notFound, RequestRefusedError } from './errors.ts';
import { grace } from './grace.ts';
import { hasEnded } from './known-credentials.ts';
import { operation, pageOf, pageQuery } from './operation.ts';
import { pageThrough } from './page.ts';
import { callbackAddresses, portalUrls } from './setup.ts';

/** How long an answer waits for receivers, in ms: they look twice a second, and tell at once. */
const RECEIVERS_MS = 3_500;
const LOOK_MS = 50;
/** One that was used so lately is taken for the one that Clickatell still sends. */
const IN_USE_MS = HOUR_MS;

const kind = z.enum(['query', 'basic', 'header']);

const credential = z
  .object({
    id: z.string().describe('`crd_…`'),
    kind,
    name: z.string().nullable().describe('The header; null for the other kinds'),
    origin: z
      .enum(['made', 'declared'])
      .describe(
        '`made` by this API, for every receiver; `declared` in `CALLBACK_AUTH`, for the receivers that have it',
      ),
    createdAt: z.string().describe('When it was made, or declared for the first time'),
    endsAt: z.string().nullable().describe('From then on it is refused; null when it has no end'),
    ended: z.boolean(),
    lastUsedAt: z
      .string()
      .nullable()
      .describe('When a callback last came with it, known within 5 seconds; null when none ever did'),
    acceptedBy: z.array(z.string()).describe('The receivers that accept it now: `host:pid`'),
  })
  .meta({ id: 'Credential' });

const params = z.object({ id: z.string().describe('`crd_…`') });

const endAfter = (text: string, nowMs: number): string => toIso(nowMs + (parseDuration(text) as number));

const describe = (
  { sha256: _, ...record }: CredentialRecord,
  { uses, receivers, nowMs }: { uses: Readonly<Record<string, string>>; receivers: readonly Receiver[]; nowMs: number },
) => ({
  ...record,
  ended: hasEnded(record, nowMs),
  lastUsedAt: uses[record.id] ?? null,
  acceptedBy: receivers.filter(({ credentialIds }) => credentialIds.includes(record.id)).map((one) => one.process),
});

/** All of them as they are now, newest first. */
export const describeCredentials = async (store: Store, nowMs: number) => {
  const recorded = openCredentialRecords(store);
  const [records, uses, receivers] = await Promise.all([recorded.list(), recorded.readUses(), listReceivers(store)]);
  return records.map((record) => describe(record, { uses, receivers, nowMs }));
};

const findRecord = async (store: Store, id: string): Promise<CredentialRecord> => {
  const found = (await openCredentialRecords(store).list()).find((one) => one.id === id);
  if (found === undefined) throw notFound('credential', id);
  return found;
};

const describeOne = async (store: Store, id: string) => {
  const found = (await describeCredentials(store, Date.now())).find((one) => one.id === id);
  if (found === undefined) throw notFound('credential', id);
  return found;
};

/**
 * Waits until every receiver accepts a credential, or none does.
 * @returns those that were not that far in time
 */
const waitForReceivers = async (store: Store, id: string, isAccepted: boolean): Promise<string[]> => {
  for (const deadline = performance.now() + RECEIVERS_MS; ; await sleep(LOOK_MS)) {
    const receivers = await listReceivers(store);
    const late = receivers.filter(
      ({ credentials, credentialIds }) =>
        // One without credentials accepts anything.
        !credentials.includes('none') && credentialIds.includes(id) !== isAccepted,
    );
    if (late.length === 0 || performance.now() > deadline) return late.map(({ process }) => process);
  }
};

type Shown = Exclude<CallbackCredential, { kind: 'none' }>;

const generate = (of: CredentialRecord['kind'], name: string | undefined): Shown => {
  const secret = randomBytes(24).toString('base64url');
  if (of === 'basic') return { kind: of, user: name ?? 'clickatell', password: secret };
  if (of === 'header') return { kind: of, name: name ?? 'x-callback-secret', value: secret };
  return { kind: of, secret };
};

const secretOf = (made: Shown): string =>
  made.kind === 'query' ? made.secret : made.kind === 'basic' ? made.password : made.value;

/**
 * Nobody ends the last one, nor unawares the one that Clickatell sends.
 * @returns when it was last used
 * @throws {RequestRefusedError} 409 `last_credential`, `credential_in_use`
 */
const assertMayEnd = async (
  store: Store,
  id: string,
  { endsAt, evenIfUsed }: { endsAt: string; evenIfUsed: boolean },
): Promise<string | null> => {
  const nowMs = Date.now();
  const all = await describeCredentials(store, nowMs);
  const stays = all.some(
    (one) => one.id !== id && one.endsAt === null && (one.origin === 'made' || one.acceptedBy.length > 0),
  );
  if (!stays) {
    const message = `${id} is the last one: without it no callback is accepted; make another first`;
    throw new RequestRefusedError(409, 'last_credential', message);
  }
  const lastUsedAt = all.find((one) => one.id === id)?.lastUsedAt ?? null;
  if (evenIfUsed || lastUsedAt === null || Date.parse(endsAt) - Date.parse(lastUsedAt) > IN_USE_MS) return lastUsedAt;
  throw new RequestRefusedError(
    409,
    'credential_in_use',
    `a callback came with ${id} at ${lastUsedAt}: when it ends, Clickatell gets 401 until the portal has another one; ` +
      'give the portal another first, or say that you mean it with `evenIfUsed`',
  );
};

export const credentialOperations = [
  operation({
    method: 'get',
    path: '/v1/credentials',
    summary: 'List the credentials of callbacks',
    description: 'Newest first, without secrets: when each was last used, and who accepts it.',
    scopes: ['read'],
    query: pageQuery,
    response: pageOf(credential),
    run: async ({ query }, { store }) => {
      const all = await describeCredentials(store, Date.now());
      const placeOf = ({ createdAt, id }: (typeof all)[number]) =>
        `${String(8.64e15 - Date.parse(createdAt)).padStart(16, '0')}.${id}`;
      return pageThrough(all, placeOf, query);
    },
  }),
  operation({
    method: 'post',
    path: '/v1/credentials',
    summary: 'Make a credential for callbacks',
    description:
      'Every receiver accepts it beside the others, without a restart. It is shown this once; `GET /v1/setup` shows ' +
      'it again where this API keeps it.',
    scopes: ['admin'],
    body: z
      .strictObject({
        kind: kind.default('query'),
        name: z
          .string()
          .regex(/^[\w.-]{1,100}$/, 'must be letters, digits and `._-`')
          .exactOptional()
          .describe('The user of a `basic` one, the header of a `header` one'),
        endOthersAfter: grace
          .exactOptional()
          .describe('When all others end: `24h`, `7d`. Default: when somebody revokes them'),
      })
      .prefault({}),
    status: 201,
    response: credential
      .extend({
        user: z.string().nullable().describe('Of a `basic` one, else null'),
        secret: z.string(),
        callbackUrls: callbackAddresses,
        notYet: z
          .array(z.string())
          .describe('Receivers that do not accept it yet; empty: it can be entered in the portal now'),
      })
      .meta({ id: 'NewCredential' }),
    run: async ({ body: { kind: of, name, endOthersAfter } }, resources, { audit }) => {
      const { store, credentials } = resources;
      const nowMs = Date.now();
      const recorded = openCredentialRecords(store);
      const shown = generate(of, name);
      const mark = {
        kind: of,
        name: shown.kind === 'header' ? shown.name.toLowerCase() : null,
        sha256: credentialDigest(shown),
      };
      const made = recorded.draft(mark, 'made', nowMs);
      const othersEndAt = endOthersAfter === undefined ? null : endAfter(endOthersAfter, nowMs);
      await audit('credential.made', made.id, { kind: of, othersEndAt });
      await recorded.keep([made]);
      credentials.add(shown);
      const notYet = await waitForReceivers(store, made.id, true);
      if (othersEndAt !== null) {
        const all = await recorded.list();
        const others = all.filter(({ id, endsAt }) => id !== made.id && (endsAt === null || endsAt > othersEndAt));
        await recorded.setEnd(
          others.map(({ id }) => id),
          othersEndAt,
        );
        for (const { sha256 } of others) credentials.setEnd(sha256, othersEndAt);
      }
      return {
        ...(await describeOne(store, made.id)),
        user: shown.kind === 'basic' ? shown.user : null,
        secret: secretOf(shown),
        callbackUrls: await portalUrls(resources, shown),
        notYet,
      };
    },
  }),
  operation({
    method: 'post',
    path: '/v1/credentials/{id}/revoke',
    summary: 'End a credential',
    description: 'No receiver accepts it any more, even if `CALLBACK_AUTH` lists it. Never the last one.',
    scopes: ['admin'],
    params,
    body: z
      .strictObject({
        after: grace.default('0s').describe('How long it is still accepted: `24h`, `7d`'),
        evenIfUsed: z
          .boolean()
          .default(false)
          .describe('Also when a callback came with it within the hour before its end'),
      })
      .prefault({}),
    response: credential
      .extend({ notYet: z.array(z.string()).describe('Receivers that accept it still') })
      .meta({ id: 'RevokedCredential' }),
    errors: { 404: 'not_found', 409: 'credential_in_use' },
    run: async ({ params: { id }, body: { after, evenIfUsed } }, { store, credentials }, { audit }) => {
      const { sha256 } = await findRecord(store, id);
      const endsAt = endAfter(after, Date.now());
      const lastUsedAt = await assertMayEnd(store, id, { endsAt, evenIfUsed });
      await audit('credential.revoked', id, { endsAt, lastUsedAt });
      await openCredentialRecords(store).setEnd([id], endsAt);
      credentials.setEnd(sha256, endsAt);
      const notYet = Date.parse(endsAt) > Date.now() ? [] : await waitForReceivers(store, id, false);
      return { ...(await describeOne(store, id)), notYet };
    },
  }),
  operation({
    method: 'post',
    path: '/v1/credentials/{id}/restore',
    summary: 'Take back the end of a credential',
    description: 'It is accepted again as before.',
    scopes: ['admin'],
    params,
    response: credential,
    errors: { 404: 'not_found' },
    run: async ({ params: { id } }, { store, credentials }, { audit }) => {
      const { sha256, origin } = await findRecord(store, id);
      await audit('credential.restored', id);
      await openCredentialRecords(store).setEnd([id], null);
      credentials.setEnd(sha256, null);
      if (origin === 'made') await waitForReceivers(store, id, true);
      return describeOne(store, id);
    },
  }),
];
