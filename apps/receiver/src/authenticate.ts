import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Address } from './client-address.ts';
import { type Credential, digestOf } from './credentials.ts';
import { createBuckets, createFailureCounter } from './failures.ts';
import { RefusalError } from './render-error.ts';

/** What is accepted at this moment: it changes while callbacks come in. */
export interface AcceptedCredentials {
  /** Another array after each change. */
  current(): readonly Credential[];
  /** Whether a credential that is not among them is wrong for certain. */
  isComplete(): boolean;
  noteUse(credential: Credential): void;
}

export interface AuthenticateOptions {
  readonly credentials: AcceptedCredentials;
  readonly addressOf: (request: IncomingMessage) => Address | undefined;
  /** Wrong credentials from one address, per minute, before 401 becomes 429. */
  readonly failuresPerMinute: number;
}

/**
 * Lets a request pass that shows any one of the credentials, before a byte of its body is read. Counts wrong
 * credentials per address. The right one always passes, or a stranger behind the sender's proxy could lock the sender
 * out.
 * @throws {RefusalError} 401 `missing_credential` or `wrong_credential`; 429 `too_many_failures`; 503 `not_ready` while a
 *   wrong one may only be unknown yet
 */
export const authenticate = (options: AuthenticateOptions): ((request: IncomingMessage) => void) => {
  const { credentials } = options;
  let accepted: readonly Credential[] | undefined;
  let check: ReturnType<typeof createAuthenticator>;
  const countWrong = createFailureCounter();
  const countMissing = createFailureCounter();
  const bucketOf = createBuckets();

  const refusal = (request: IncomingMessage, tried: readonly string[]): RefusalError => {
    const wrong = tried.length > 0;
    if (wrong && !credentials.isComplete()) return new RefusalError(503, 'not_ready', UNKNOWN_YET);
    const count = wrong ? countWrong : countMissing;
    const failures = count(bucketOf(options.addressOf(request)));
    const isOverLimit = failures.count > options.failuresPerMinute;
    // Past the limit nothing more is logged: a flood of requests must not become a flood of logs.
    const logLevel = isOverLimit ? 'debug' : 'warn';
    if (isOverLimit && wrong) {
      const headers = { 'Retry-After': String(Math.ceil(failures.forgottenInMs / 1000)) };
      const message = 'too many wrong credentials from this address; the right one is still accepted';
      return new RefusalError(429, 'too_many_failures', message, { headers, logLevel });
    }
    // Some senders show basic credentials only when asked for them.
    const headers = credentials.current().some(({ kind }) => kind === 'basic') ? CHALLENGE : {};
    if (!wrong) {
      const message = 'this request shows no credential; send one of CALLBACK_AUTH';
      return new RefusalError(401, 'missing_credential', message, { headers, logLevel });
    }
    const message = `no credential of this request matches CALLBACK_AUTH; tried: ${tried.join(', ')}`;
    return new RefusalError(401, 'wrong_credential', message, { headers, logLevel });
  };

  return (request) => {
    const present = credentials.current();
    if (present !== accepted) {
      accepted = present;
      check = createAuthenticator(present);
    }
    const { matched, tried } = check(request);
    if (matched === undefined) throw refusal(request, tried);
    credentials.noteUse(matched);
  };
};

const CHALLENGE = { 'WWW-Authenticate': 'Basic realm="Clickatell callbacks", charset="UTF-8"' };
const UNKNOWN_YET =
  'this credential is not in CALLBACK_AUTH, and those that were made later have not been read from Redis yet; ' +
  'send it again later';

export interface Verdict {
  /** Undefined when the request shows none that is accepted. */
  readonly matched: Credential | undefined;
  /** The places where the request showed something. */
  readonly tried: readonly string[];
}

/** A place of a request that may hold a credential, and what it may hold. */
interface Place {
  readonly label: string;
  readonly credentials: Credential[];
  /** What the request shows there. */
  read(request: IncomingMessage): string | Uint8Array | undefined;
}

/** Compares in constant time: hashes of equal length, and every entry of the list each time. */
export const createAuthenticator = (credentials: readonly Credential[]): ((request: IncomingMessage) => Verdict) => {
  const places = groupByPlace(credentials);
  return (request) => {
    // Node keeps the first of two, while a proxy in front may have checked the last.
    if (countAuthorizations(request) > 1) return { matched: undefined, tried: ['two authorization headers'] };

    let matched: Credential | undefined;
    const tried: string[] = [];
    for (const place of places) {
      const shown = place.read(request);
      if (shown === undefined) continue;
      tried.push(place.label);
      const digest = digestOf(shown);
      for (const expected of place.credentials) {
        if (timingSafeEqual(digest, expected.digest)) matched = expected;
      }
    }
    return { matched, tried };
  };
};

const groupByPlace = (credentials: readonly Credential[]): Place[] => {
  const places = new Map<string, Place>();
  for (const credential of credentials) {
    const key = credential.kind === 'header' ? `header ${credential.name}` : credential.kind;
    const place = places.get(key) ?? createPlace(credential);
    place.credentials.push(credential);
    places.set(key, place);
  }
  return [...places.values()];
};

const createPlace = (credential: Credential): Place => {
  switch (credential.kind) {
    case 'basic':
      return { label: 'basic', credentials: [], read: readBasic };
    case 'query':
      return { label: 'query secret', credentials: [], read: readToken };
    case 'header': {
      const { name } = credential;
      return { label: 'header', credentials: [], read: (request) => readHeader(request, name) };
    }
  }
};

/** `user:password`, which is also what the digest of a basic credential was made from. */
const readBasic = (request: IncomingMessage): Uint8Array | undefined => {
  const value = request.headers.authorization;
  if (value === undefined || !/^basic /i.test(value)) return undefined;
  return Buffer.from(value.slice('basic '.length).trim(), 'base64');
};

const readToken = (request: IncomingMessage): string | undefined => {
  const token = /[?&]token=([^&]*)/.exec(request.url ?? '')?.[1];
  // Only escaped secrets need the parser, which costs more than the rest of this check.
  return token !== undefined && /[%+]/.test(token) ? (new URLSearchParams(`t=${token}`).get('t') ?? '') : token;
};

const readHeader = (request: IncomingMessage, name: string): Uint8Array | undefined => {
  const value = request.headers[name];
  // Node gives header bytes as Latin-1; secrets are configured in UTF-8.
  return value === undefined ? undefined : Buffer.from(String(value), 'latin1');
};

const countAuthorizations = ({ rawHeaders }: IncomingMessage): number => {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 'authorization'.length && name.toLowerCase() === 'authorization') count++;
  }
  return count;
};
