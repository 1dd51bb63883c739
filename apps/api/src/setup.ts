import { DAY_MS } from '@clickrelay/core';
import { listReceivers, type Receiver, readHeard, readIntake, sumIntake } from '@clickrelay/queue';
import { type CallbackCredential, callbackUrls } from '@clickrelay/service/settings';
import { z } from 'zod';
import { RequestRefusedError } from './errors.ts';
import { acceptedCredentials } from './known-credentials.ts';
import { HIDDEN } from './mask.ts';
import { operation, type Resources } from './operation.ts';
import { durabilityReport } from './schemas.ts';

const urls = z.object({ replies: z.string(), statuses: z.string() });

export const callbackAddresses = z.object({
  public: urls.nullable().describe('For the portal; null without PUBLIC_URL'),
  local: urls.nullable().describe('On the machine of the receiver; null while no receiver runs'),
});

const problem = z.object({
  code: z
    .enum([
      'no_receiver',
      'receiver_not_ready',
      'credential_unknown',
      'no_credential',
      'no_public_url',
      'public_url_not_https',
      'nothing_received',
    ])
    .describe('Stable'),
  message: z.string(),
  mend: z.string().describe('What to do'),
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
  const [one] = await listReceivers(store, Date.now());
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

type Problem = z.input<typeof problem>;

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
        problems: z.array(problem),
      })
      .meta({ id: 'Setup' }),
    run: async ({ query: { reveal } }, { store, publicUrl, credentials: known }, { caller, audit }) => {
      const isShown = reveal === 'true';
      if (isShown && !caller.scopes.includes('reveal')) {
        throw new RequestRefusedError(
          403,
          'forbidden_scope',
          `the credential is shown to keys with the scope reveal; this key has ${caller.scopes.join(', ')}`,
        );
      }
      const nowMs = Date.now();
      const [receivers, credentials, first, day] = await Promise.all([
        listReceivers(store, nowMs),
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
        problems: findProblems({ receivers, credentials, publicUrl, received }),
      };
    },
  }),
];

/** Assumed while no receiver reports. */
export const DEFAULT_PREFIX = '/client-callback';

interface Facts {
  readonly receivers: readonly Receiver[];
  readonly credentials: readonly CallbackCredential[];
  readonly publicUrl: string | undefined;
  readonly received: z.input<typeof received>;
}

const received = z.object({ messages: heard, statuses: heard });

/** In the order in which a person has to fix them. */
const findProblems = ({ receivers, credentials, publicUrl, received: came }: Facts): Problem[] => {
  const problems: Problem[] = [];
  if (receivers.length === 0) {
    const mend = 'start one, with the same Redis as this API; one that runs is seen after 5 seconds';
    problems.push({ code: 'no_receiver', message: 'no receiver is running, or none reaches this Redis', mend });
  }
  for (const { process, readiness } of receivers) {
    if (readiness.ready) continue;
    const why = readiness.problems.map(({ setting, value }) => `${setting} is ${value}`).join('; ');
    const mend = readiness.problems.map((one) => one.mend).join('; ') || 'see its log';
    problems.push({ code: 'receiver_not_ready', message: `${process} takes no callbacks: ${why}`, mend });
  }
  const takesAnybody = receivers.some((one) => one.credentials.includes('none'));
  if (takesAnybody || credentials.some(({ kind }) => kind === 'none')) {
    const mend = 'set CALLBACK_AUTH=query:<a long random secret>, or basic:<user>:<password>';
    problems.push({ code: 'no_credential', message: 'anybody who knows the address can post callbacks', mend });
  } else if (credentials.length === 0) {
    const mend = 'give the API the CALLBACK_AUTH of the receiver';
    problems.push({ code: 'credential_unknown', message: 'the API does not know the credential of callbacks', mend });
  }
  if (publicUrl === undefined) {
    const mend = 'put a proxy or a tunnel with TLS in front of the receiver, and set PUBLIC_URL=https://…';
    problems.push({ code: 'no_public_url', message: 'it is not known how Clickatell reaches the receiver', mend });
  } else if (!publicUrl.startsWith('https:')) {
    const mend = 'give the proxy in front a certificate, and set PUBLIC_URL=https://…';
    problems.push({ code: 'public_url_not_https', message: 'callbacks would come over plain http', mend });
  }
  for (const [kind, { firstAt }] of Object.entries(came)) {
    if (firstAt !== null) continue;
    const mend = 'send a test callback; when that arrives, enter the address in the portal';
    problems.push({ code: 'nothing_received', message: `no callback with ${kind} has come yet`, mend });
  }
  return problems;
};
