/* What `REDIS_URL` may say. */

interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

interface Login {
  readonly username?: string;
  readonly password?: string;
  readonly tls: boolean;
}

/** Where Redis is: one server, the primary that Sentinels know of, or a Cluster. */
export type RedisAddress =
  | { readonly kind: 'server'; readonly url: string }
  | (Login & {
      readonly kind: 'sentinel';
      readonly sentinels: readonly HostAndPort[];
      readonly name: string;
      readonly db: number;
      /** Of the Sentinels themselves, when they ask for one. */
      readonly sentinelUsername?: string;
      readonly sentinelPassword?: string;
    })
  | (Login & { readonly kind: 'cluster'; readonly nodes: readonly HostAndPort[] });

/** `REDIS_URL` has an unknown form. The error never repeats its text, which may hold a password. */
export class InvalidRedisUrlError extends Error {
  override readonly name = 'InvalidRedisUrlError';
  readonly code = 'config';
}

const FORMS =
  'REDIS_URL must be redis://host:6379, rediss://host:6379, redis+sentinel://host:26379,host:26379/mymaster, ' +
  'redis+cluster://host:7000,host:7001 or one of the last two with rediss';

const DEFAULT_PORTS = { sentinel: 26_379, cluster: 6_379 } as const;
/** user:password@ hosts /path ?query; a password may hold anything but `@` and `/`, written as %40 and %2F. */
const PARTS = /^(rediss?)\+(sentinel|cluster):\/\/(?:([^@/]*)@)?([^@/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/i;

/**
 * - `redis://`, `rediss://` (TLS): one server, with user, password and database as usual.
 * - `redis+sentinel://user:password@host:26379,host:26379/mymaster/0`: user, password and database are those of the
 *   Redis; `?sentinelUsername=` and `?sentinelPassword=` those of the Sentinels.
 * - `redis+cluster://user:password@host:7000,host:7001`: any of the nodes; the others are found.
 *
 * @throws {InvalidRedisUrlError}
 */
export const parseRedisUrl = (url: string): RedisAddress => {
  if (/^rediss?:\/\//i.test(url)) {
    if (!URL.canParse(url)) throw new InvalidRedisUrlError(`${FORMS}; this one cannot be read`);
    return { kind: 'server', url };
  }
  const [, scheme = '', sort, login = '', hosts = '', path = '', query = ''] = PARTS.exec(url) ?? [];
  if (sort === undefined) throw new InvalidRedisUrlError(`${FORMS}, got something else`);
  const kind = sort.toLowerCase() as keyof typeof DEFAULT_PORTS;
  const colon = login.indexOf(':');
  const username = decode(colon === -1 ? login : login.slice(0, colon));
  const password = colon === -1 ? '' : decode(login.slice(colon + 1));
  const shared = {
    tls: scheme.toLowerCase() === 'rediss',
    ...(username && { username }),
    ...(password && { password }),
  };
  const servers = hosts.split(',').map((host) => parseHost(host, DEFAULT_PORTS[kind]));
  if (kind === 'cluster') {
    if (path !== '' && path !== '0') throw new InvalidRedisUrlError(`${FORMS}; a Cluster has no database but 0`);
    return { kind, nodes: servers, ...shared };
  }
  const [name = '', db = '0', ...rest] = path.split('/');
  if (name === '' || rest.length > 0 || !/^\d{0,4}$/.test(db)) {
    throw new InvalidRedisUrlError(
      `${FORMS}; behind the Sentinels comes the name of their primary: /mymaster or /mymaster/0`,
    );
  }
  const asked = new URLSearchParams(query);
  const sentinelUsername = asked.get('sentinelUsername');
  const sentinelPassword = asked.get('sentinelPassword');
  return {
    kind,
    sentinels: servers,
    name: decode(name),
    db: Number(db),
    ...shared,
    ...(sentinelUsername && { sentinelUsername }),
    ...(sentinelPassword && { sentinelPassword }),
  };
};

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InvalidRedisUrlError(`${FORMS}; a % in it must be written as %25`);
  }
};

const parseHost = (text: string, defaultPort: number): HostAndPort => {
  const match = /^(\[[\da-f:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/i.exec(text.trim());
  const port = Number(match?.[2] ?? defaultPort);
  if (match === null || port < 1 || port > 65_535) {
    throw new InvalidRedisUrlError(`${FORMS}; each host is a name or an address, with a port after a colon`);
  }
  return { host: (match[1] as string).replace(/^\[|\]$/g, ''), port };
};
