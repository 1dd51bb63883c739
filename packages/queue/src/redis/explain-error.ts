import { parseRedisUrl } from './redis-url.ts';

/*
 * Says for people why Redis cannot be used: which Redis, what it refuses, and what to do. Every process tells it in these
 * words. They hold host and port, the code of the refusal and the name of a command; never a password, a key or a value.
 */

export interface RedisTrouble {
  /** The code of Redis, of the operating system or of TLS: `NOPERM`, `ECONNREFUSED`, `CERT_HAS_EXPIRED`. */
  readonly code: string;
  /** Which Redis, and what it does: `the Redis at 127.0.0.1:6379 refuses the connection (ECONNREFUSED)`. */
  readonly cause: string;
  readonly mend: string;
}

interface Rule {
  readonly code: RegExp;
  /** Goes on from `the Redis at <host:port>`. */
  readonly does: string;
  readonly mend: string;
}

const START = 'start Redis, or set REDIS_URL to where it is';
const LOGIN = 'set the right user and password in REDIS_URL: redis://<user>:<password>@<host>:<port>';
const WAIT = 'wait: it goes on by itself';

/** By the first word of an error reply. */
const REPLIES: readonly Rule[] = [
  {
    code: /^NOPERM$/,
    does: 'does not let this user do all that is needed',
    mend: 'give it the permissions of docs/operations.md#a-redis-user',
  },
  { code: /^(WRONGPASS|NOAUTH)$/, does: 'refuses the user or the password', mend: LOGIN },
  {
    code: /^MISCONF$/,
    does: 'takes no writes, because it cannot write to its disk',
    mend: 'make room on the disk of Redis, or give it back its right to write; its own log names the file',
  },
  {
    code: /^OOM$/,
    does: 'takes no writes, because it is at its maxmemory',
    mend: 'give it more memory: redis-cli CONFIG SET maxmemory <bytes>',
  },
  {
    code: /^READONLY$/,
    does: 'takes no writes, because it is a replica',
    mend: 'set REDIS_URL to the primary, or to the Sentinels, which know it',
  },
  { code: /^LOADING$/, does: 'is loading its data', mend: WAIT },
  {
    code: /^BUSY$/,
    does: 'is busy with a script',
    mend: 'wait, or end a script of somebody else: redis-cli SCRIPT KILL',
  },
  {
    code: /^NOREPLICAS$/,
    does: 'takes no writes, because too few replicas follow it',
    mend: 'bring its replicas back',
  },
  { code: /^MASTERDOWN$/, does: 'is a replica that has lost its primary', mend: 'bring the primary back' },
  {
    code: /^(TRYAGAIN|ASK|MOVED)$/,
    does: 'is a Cluster with a slot on its way to another master',
    mend:
      'wait until the move is over; if nothing moves any more, end it: redis-cli --cluster fix <host>:<port>, ' +
      'and never with --cluster-replace, which deletes keys',
  },
  {
    code: /^(CLUSTERDOWN|CROSSSLOT)$/,
    does: 'is a Cluster with slots that no node serves now',
    mend: 'look at it: redis-cli --cluster check <host>:<port>',
  },
];

/** By the code of the operating system, or of TLS. */
const CODES: readonly Rule[] = [
  { code: /^ECONNREFUSED$/, does: 'refuses the connection', mend: START },
  {
    code: /^(ENOTFOUND|EAI_AGAIN|EAI_FAIL)$/,
    does: 'has a name that leads nowhere',
    mend: 'check the host in REDIS_URL',
  },
  {
    code: /^(EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/,
    does: 'cannot be reached',
    mend: 'check host, port and TLS (rediss://) in REDIS_URL, and that no firewall is in between',
  },
  {
    code: /^(ECONNRESET|EPIPE)$/,
    does: 'ends the connection',
    mend: 'see its log; if it speaks TLS, REDIS_URL begins with rediss://',
  },
  { code: /^(EACCES|ENOENT)$/, does: 'has a socket that cannot be opened', mend: 'check the path in REDIS_URL' },
  {
    code: /^(EPROTO|ERR_SSL_|ERR_TLS_(?!CERT))/,
    does: 'does not speak TLS as REDIS_URL asks',
    mend: 'if it speaks none, write redis:// for rediss://; else look at its TLS settings',
  },
  {
    code: /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT)/,
    does: 'shows a certificate that is not accepted',
    mend: 'mend the certificate; for an authority of your own, start with NODE_EXTRA_CA_CERTS=<file>',
  },
];

/** ioredis has no codes for what ends without an answer. */
const TIMEOUTS = /timed? ?out|no answer|MaxRetriesPerRequest/i;

const TIMED_OUT: Rule = {
  code: /^ETIMEDOUT$/,
  does: 'does not answer',
  mend: 'it may hang or be overloaded; or check host and port in REDIS_URL, and that no firewall is in between',
};

/** Where Redis is, without the login. */
const addressOf = (redisUrl: string): string => {
  const address = parseRedisUrl(redisUrl);
  if (address.kind === 'server') {
    const { hostname, port } = new URL(address.url);
    return `${hostname || '127.0.0.1'}:${port || 6379}`;
  }
  const servers = address.kind === 'cluster' ? address.nodes : address.sentinels;
  const list = servers.map(({ host, port }) => `${host}:${port}`).join(', ');
  return address.kind === 'cluster' ? `${list} (a Cluster)` : `the Sentinels ${list}`;
};

/** The last error that has a reason: a Cluster that gives up tells the one of its last node. */
const innermost = (error: Error): Error => {
  const { lastNodeError, cause } = error as { lastNodeError?: unknown; cause?: unknown };
  if (lastNodeError instanceof Error) return innermost(lastNodeError);
  return cause instanceof Error && codeOf(error) === undefined ? innermost(cause) : error;
};

/** ioredis has sent a command from node to node and gives up; only its message has the last reply. */
const REDIRECTED = /^Too many Cluster redirections\. Last error: ReplyError: ([A-Z]{2,})\b/;

/** The first word of an error reply, or the code of the system. */
const codeOf = (error: Error): string | undefined => {
  // An error of a script repeats that of the command in it.
  if (/NOPERM|ACL failure|user executing the script/.test(error.message)) return 'NOPERM';
  if (/before secure TLS connection/.test(error.message)) return 'EPROTO';
  const redirected = REDIRECTED.exec(error.message)?.[1];
  if (redirected !== undefined) return redirected;
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string') return code;
  return error.name === 'ReplyError' ? /^[A-Z]{2,}(?=\s)/.exec(error.message)?.[0] : undefined;
};

/** The command that a NOPERM is about. Redis names it, without its arguments. */
const commandOf = (error: Error): string | undefined =>
  /'([a-z][a-z|_-]{0,40})' (?:command|subcommand)/i.exec(error.message)?.[1] ??
  (error as { command?: { name?: string } }).command?.name;

/**
 * Whether this is of a command that got no answer, or found no connection: ioredis has a class for one such failure only,
 * and throws a plain `Error` without a code for all others.
 */
export const saysOnlyThatItFailed = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'MaxRetriesPerRequestError' ||
    (error.constructor === Error &&
      (error as NodeJS.ErrnoException).code === undefined &&
      !REDIRECTED.test(error.message)));

/** Whether a command was refused because its keys are on their way to another master: nothing of it was carried out. */
export const isSlotMoving = (error: unknown): boolean =>
  error instanceof Error && /^(TRYAGAIN|ASK|MOVED)$/.test(codeOf(innermost(error)) ?? '');

/** @returns undefined for an error that says nothing of Redis: a fault of ours, or a reply that no rule knows */
export const explainRedisError = (error: unknown, redisUrl: string): RedisTrouble | undefined => {
  if (!(error instanceof Error)) return undefined;
  const inner = innermost(error);
  const code = codeOf(inner) ?? (TIMEOUTS.test(`${inner.name} ${inner.message}`) ? 'ETIMEDOUT' : undefined);
  if (code === undefined) return undefined;
  const isReply = inner.name === 'ReplyError' || code === 'NOPERM' || REDIRECTED.test(inner.message);
  const rules = isReply ? REPLIES : CODES;
  const isSilent = code === 'ETIMEDOUT' && !/connect/i.test(inner.message);
  const rule = isSilent ? TIMED_OUT : rules.find((one) => one.code.test(code));
  if (rule === undefined) return undefined;
  const command = code === 'NOPERM' ? commandOf(inner) : undefined;
  return {
    code,
    cause: `the Redis at ${addressOf(redisUrl)} ${rule.does} (${[code, command].filter(Boolean).join(': ')})`,
    mend: rule.mend,
  };
};
