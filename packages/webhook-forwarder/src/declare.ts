import { destinationBase, pacing } from '@clickrelay/core';
import { z } from 'zod';
import { declaredAuth, SECRET_OF } from './auth.ts';
import { SECRET_DESCRIPTION, secretSetting, webhookSettings } from './config.ts';
import { declaredProxy } from './proxy.ts';
import { generateSecret } from './secret.ts';
import { checkTls, declaredTls } from './tls.ts';

/** Stands in for a secret that is not shown. Sent back, it means: keep the present one. */
export const HIDDEN = '(hidden)';

/** A webhook destination as people write it, in a file or a request. They may leave out secrets that it already has. */
export const webhookDestination = z.strictObject({
  ...destinationBase.shape,
  ...webhookSettings.shape,
  ...pacing,
  type: z.literal('webhook').describe('Events are POSTed to `url`.'),
  // Without the default, which would be a new secret each time.
  secret: secretSetting(HIDDEN).optional().describe(SECRET_DESCRIPTION),
  auth: declaredAuth.exactOptional().describe(webhookSettings.shape.auth.description ?? ''),
  tls: declaredTls(HIDDEN)
    .exactOptional()
    .describe(webhookSettings.shape.tls.description ?? ''),
  proxy: declaredProxy.exactOptional().describe(webhookSettings.shape.proxy.description ?? ''),
});

export type WebhookDestination = z.output<typeof webhookDestination>;

type Declared = Partial<Pick<WebhookDestination, 'secret' | 'headers' | 'auth' | 'tls' | 'proxy'>> &
  Pick<WebhookDestination, 'url'>;
type Config = Readonly<Record<string, unknown>>;

/** A secret was left out, and there is none to keep. */
export class MissingSecretError extends Error {
  override readonly name = 'MissingSecretError';
  /** Which secret: `auth.token`, `headers.x-api-key`. */
  readonly path: string;

  constructor(path: string, reason: string) {
    super(reason);
    this.path = path;
  }
}

/**
 * Completes settings whose secrets are left out or hidden with those that the destination already has. A new
 * destination gets a generated signing secret, which must be shown to the person who declared it.
 *
 * Secrets given for one host are not kept for another: a person who may change a destination but does not know its
 * secrets must not learn them by pointing it elsewhere.
 *
 * @param present the destination's present settings
 * @throws {MissingSecretError}
 */
export const completeWebhook = <Settings extends Declared>(
  settings: Settings,
  present: Config | undefined,
): { config: Omit<Settings, 'secret'> & { secret: unknown }; generatedSecret?: string } => {
  const { secret: given, headers, auth, tls, proxy, ...rest } = settings;
  const presentSecret = present?.['secret'];
  const isGiven = given !== undefined && given !== HIDDEN;
  const generatedSecret = isGiven || presentSecret !== undefined ? undefined : generateSecret();
  const isSameHost = originOf(present?.['url']) === originOf(settings.url);
  const keep = (path: string, kept: unknown, isForSame: boolean): string => {
    if (typeof kept !== 'string') throw new MissingSecretError(path, 'is left out, and there is none to keep');
    if (!isForSame) throw new MissingSecretError(path, 'is left out, and was for another host: give it again');
    return kept;
  };

  const presentHeaders = (present?.['headers'] ?? {}) as Record<string, unknown>;
  const completeHeaders = Object.entries(headers ?? {}).map(([name, value]) => [
    name,
    value === HIDDEN ? keep(`headers.${name}`, presentHeaders[name], isSameHost) : value,
  ]);
  const completeAuth = (declared: NonNullable<Declared['auth']>): object => {
    const name = SECRET_OF[declared.type];
    const value = (declared as Record<string, unknown>)[name];
    if (value !== undefined && value !== HIDDEN) return declared;
    const before = (present?.['auth'] ?? {}) as Record<string, unknown>;
    const kept = before['type'] === declared.type ? before[name] : undefined;
    const isForSame =
      isSameHost && (declared.type !== 'oauth2' || originOf(declared.tokenUrl) === originOf(before['tokenUrl']));
    return { ...declared, [name]: keep(`auth.${name}`, kept, isForSame) };
  };
  const completeTls = (declared: NonNullable<Declared['tls']>): object => {
    const { cert, key } = declared;
    if (cert === undefined || (key !== undefined && key !== HIDDEN)) return declared;
    const kept = { ...declared, key: keep('tls.key', memberOf(present?.['tls'], 'key'), isSameHost) };
    if (checkTls(kept) === undefined) return kept;
    throw new MissingSecretError('tls.key', 'is left out, and is not the key of this certificate: give it again');
  };
  const completeProxy = (declared: NonNullable<Declared['proxy']>): object => {
    const { username, password } = declared;
    if (username === undefined || (password !== undefined && password !== HIDDEN)) return declared;
    const before = present?.['proxy'];
    const isForSame = originOf(memberOf(before, 'url')) === originOf(declared.url);
    return { ...declared, password: keep('proxy.password', memberOf(before, 'password'), isForSame) };
  };

  const config = {
    ...rest,
    secret: isGiven ? given : (presentSecret ?? generatedSecret),
    ...(headers !== undefined && { headers: Object.fromEntries(completeHeaders) }),
    ...(auth !== undefined && { auth: completeAuth(auth) }),
    ...(tls !== undefined && { tls: completeTls(tls) }),
    ...(proxy !== undefined && { proxy: completeProxy(proxy) }),
  };
  return {
    config: config as unknown as Omit<Settings, 'secret'> & { secret: unknown },
    ...(generatedSecret !== undefined && { generatedSecret }),
  };
};

const memberOf = (object: unknown, name: string): unknown => (object as Config | undefined)?.[name];

const originOf = (url: unknown): string | undefined =>
  typeof url === 'string' && URL.canParse(url) ? new URL(url).origin : undefined;

/** The settings of a destination with its secrets hidden. */
export const hideSecrets = (config: Config): Record<string, unknown> => {
  const { secret, headers, auth, tls, proxy, ...rest } = config;
  return {
    ...rest,
    ...(secret !== undefined && { secret: HIDDEN }),
    ...(headers !== undefined && { headers: hideMembers(headers, () => true) }),
    ...(auth !== undefined && { auth: hideMembers(auth, (name) => SECRETS.includes(name)) }),
    ...(tls !== undefined && { tls: hideMembers(tls, (name) => name === 'key') }),
    ...(proxy !== undefined && { proxy: hideMembers(proxy, (name) => name === 'password') }),
  };
};

const SECRETS: readonly string[] = Object.values(SECRET_OF);

const hideMembers = (members: unknown, isSecret: (name: string) => boolean): Record<string, unknown> => {
  const entries = Object.entries(members as object).map(([name, value]) => [name, isSecret(name) ? HIDDEN : value]);
  return Object.fromEntries(entries);
};
