import { DAY_MS } from '@clickrelay/core';
import { isAboutConnecting, isRaised } from '@clickrelay/health';
import { listReceivers, type Receiver, readHeard, readIntake, sumIntake } from '@clickrelay/queue';
import { type CallbackCredential, callbackUrls } from '@clickrelay/service/settings';
import { z } from 'zod';
import { RequestRefusedError } from './errors.ts';
import { acceptedCredentials } from './known-credentials.ts';
import { HIDDEN } from './mask.ts';
import { operation, type Resources } from './operation.ts';
import { condition, durabilityReport } from './schemas.ts';

const urls = z.object({ replies: z.string(), statuses: z.string() });

export const callbackAddresses = z.object({
  public: urls.nullable().describe('For the portal; null without PUBLIC_URL'),
  local: urls.nullable().describe('On the machine of the receiver; null while no receiver runs'),
});

const heard = z.object({
  firstAt: z.string().nullable().describe('Null when no callback ever came'),
  lastAt: z.string().nullable(),
  last24h: z.int().describe('How many callbacks came'),
});

/** The address of a receiver, for a program on the same machine. */
export const localBase = ({ host, port }: Pick<Receiver, 'host' | 'port'>): string => {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
};

/** One credential, as a person enters it in the portal. */
const showCredential = (credential: CallbackCredential, isShown: boolean) => {
  const secret = (text: string): string => (isShown ? text : HIDDEN);
  switch (credential.kind) {
    case 'basic':
      return { kind: 'basic' as const, name: credential.user, secret: secret(credential.password) };
    case 'header':
      return { kind: 'header' as const, name: credential.name, secret: secret(credential.value) };
    case 'query':
      return { kind: 'query' as const, name: 'token', secret: secret(credential.secret) };
    case 'none':
      return { kind: 'none' as const, name: null, secret: null };
  }
};

const urlsUnder = (base: string, prefix: string, credential: CallbackCredential | undefined, isShown: boolean) => {
  const { reply, status } = callbackUrls(base, prefix, credential);
  const hide = (url: string): string => (isShown ? url : url.replace(/\?token=.*$/s, `?token=${HIDDEN}`));
  return { replies: hide(reply), statuses: hide(status) };
};

/** The callback URLs with a credential, as a person enters them. */
export const portalUrls = async (
  { store, publicUrl }: Pick<Resources, 'store' | 'publicUrl'>,
  credential: CallbackCredential,
) => {
  const [one] = await listReceivers(store);
  const under = (base: string) => urlsUnder(base, one?.pathPrefix ?? DEFAULT_PREFIX, credential, true);
  return {
    public: publicUrl === undefined ? null : under(publicUrl),
    local: one === undefined ? null : under(localBase(one)),
  };
};

const describe = ({
  process,
  at,
  version,
  host,
  port,
  pathPrefix,
  credentials,
  credentialIds,
  allowIps,
  integrationIds,
  maxBodyBytes,
  ...rest
}: Receiver) => {
  const { spool, problems, ...readiness } = rest.readiness;
  return {
    process,
    at,
    version,
    host,
    port,
    pathPrefix,
    credentials: [...credentials],
    credentialIds: [...credentialIds],
    allowIps: [...allowIps],
    integrationIds: [...integrationIds],
    maxBodyBytes,
    readiness: { ...readiness, problems: [...problems] },
    spool: spool === undefined ? null : { ...spool },
  };
};

const receiver = z
  .object({
    process: z.string().describe('`host:pid`'),
    at: z.string().describe('When it last reported; one that is gone is left out after 16 seconds'),
    version: z.string(),
    host: z.string(),
    port: z.int(),
    pathPrefix: z.string(),
    credentials: z.array(z.string()).describe('The kinds of the credentials that it accepts'),
    credentialIds: z.array(z.string()).describe('Their ids, as `GET /v1/credentials` lists them'),
    allowIps: z.array(z.string()).describe('CALLBACK_ALLOW_IPS; empty: any address may call'),
    integrationIds: z.array(z.string()).describe('CALLBACK_INTEGRATION_IDS; empty: any'),
    maxBodyBytes: z.int(),
    readiness: durabilityReport.describe('Whether a callback sent now would be accepted, and how safe it would be'),
    spool: z
      .looseObject({ records: z.int(), bytes: z.int() })
      .nullable()
      .describe('Null when the receiver has no spool'),
  })
  .meta({ id: 'Receiver' });

export const setupOperations = [
  operation({
    method: 'get',
    path: '/v1/setup',
    summary: 'Show how to connect Clickatell',
    description: 'URLs, credential, what has come in, and what is wrong.',
    scopes: ['read'],
    query: z.object({
      reveal: z
        .enum(['true', 'false'])
        .default('false')
        .describe('Whether to show the credential: needs the scope `reveal`, and is recorded in the audit record'),
    }),
    response: z
      .object({
        publicUrl: z.string().nullable().describe('PUBLIC_URL; null when it is not set'),
        callbackUrls: callbackAddresses,
        accepts: z
          .array(z.object({ path: z.string(), meantFor: z.enum(['messages', 'statuses']), kinds: z.array(z.string()) }))
          .describe('Either path takes either kind: the body decides what a callback is'),
        credentials: z
          .array(
            z.object({
              kind: z.enum(['basic', 'header', 'query', 'none']),
              name: z.string().nullable().describe('The user, the header, or the parameter of the query'),
              secret: z.string().nullable(),
            }),
          )
          .nullable()
          .describe(
            'Any one of them suffices, the newest first. Null when the API knows none: it was not given ' +
              'CALLBACK_AUTH, and keeps none that it made',
          ),
        received: z.object({ messages: heard, statuses: heard }),
        receivers: z.array(receiver),
        problems: z.array(condition).describe('The conditions between Clickatell and the receiver'),
      })
      .meta({ id: 'Setup' }),
    run: async ({ query: { reveal } }, { store, publicUrl, credentials: known, health }, { caller, audit }) => {
      const isShown = reveal === 'true';
      if (isShown && !caller.scopes.includes('reveal')) {
        throw new RequestRefusedError(
          403,
          'forbidden_scope',
          `the credential is shown to keys with the scope reveal; this key has ${caller.scopes.join(', ')}`,
        );
      }
      const nowMs = Date.now();
      const [{ conditions }, receivers, credentials, first, day] = await Promise.all([
        health.current(),
        listReceivers(store),
        acceptedCredentials(known, store, nowMs),
        readHeard(store),
        readIntake(store, { from: new Date(nowMs - DAY_MS) }, nowMs),
      ]);
      if (isShown) await audit('setup.credential_shown', 'CALLBACK_AUTH');
      const [one] = receivers;
      const prefix = one?.pathPrefix ?? DEFAULT_PREFIX;
      const under = (base: string) => urlsUnder(base, prefix, credentials[0], isShown);
      const counts = sumIntake(day);
      const received = {
        messages: { ...first.messages, last24h: counts.messages.callbacks },
        statuses: { ...first.statuses, last24h: counts.statuses.callbacks },
      };
      const both = ['messages', 'statuses'];
      return {
        publicUrl: publicUrl ?? null,
        callbackUrls: {
          public: publicUrl === undefined ? null : under(publicUrl),
          local: one === undefined ? null : under(localBase(one)),
        },
        accepts: [
          { path: `${prefix}/one-api-reply`, meantFor: 'messages' as const, kinds: both },
          { path: `${prefix}/one-api-status`, meantFor: 'statuses' as const, kinds: both },
        ],
        credentials: credentials.length === 0 ? null : credentials.map((entry) => showCredential(entry, isShown)),
        received,
        receivers: receivers.map(describe),
        problems: conditions.filter((one) => isRaised(one) && isAboutConnecting(one)),
      };
    },
  }),
];

/** Assumed while no receiver reports. */
export const DEFAULT_PREFIX = '/client-callback';
