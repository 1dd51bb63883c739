import { hash } from 'node:crypto';
import type { CredentialRecord } from '@clickrelay/queue';

/** One credential. Keeps the SHA-256 of the bytes that a request must show, and not the secret itself. */
export type Credential =
  | { readonly kind: 'basic' | 'query'; readonly digest: Uint8Array }
  | { readonly kind: 'header'; readonly name: string; readonly digest: Uint8Array };

/** `none`: any callback is accepted. */
export type CallbackAuth = readonly Credential[] | 'none';

/** SHA-256, so that two secrets of any length can be compared in constant time. */
export const digestOf = (secret: string | Uint8Array): Buffer => {
  // As a hex string, which Node makes of a digest five times faster than a Buffer.
  return Buffer.from(hash('sha256', secret, 'hex'), 'latin1');
};

/** A credential as its record has it. */
type Mark = Pick<CredentialRecord, 'kind' | 'name' | 'sha256'>;

export const markOf = (credential: Credential): Mark => ({
  kind: credential.kind,
  name: credential.kind === 'header' ? credential.name : null,
  sha256: Buffer.from(credential.digest).toString('latin1'),
});

export const credentialOf = ({ kind, name, sha256 }: Mark): Credential => {
  const digest = Buffer.from(sha256, 'latin1');
  return kind === 'header' ? { kind, name: name ?? '', digest } : { kind, digest };
};

/**
 * Reads `CALLBACK_AUTH`: entries separated by commas, or the single word `none`. A comma inside a secret is written
 * `%2C`; nothing else is decoded, so that any other secret can be pasted as it is.
 * @throws {Error} that names an entry by its position and kind, never by its text
 */
export const parseCallbackAuth = (text: string): CallbackAuth => {
  const entries = text.split(',').map((entry) => entry.trim());
  if (text.trim() === '') {
    throw new Error(
      'CALLBACK_AUTH is empty; set at least one credential, or CALLBACK_AUTH=none to accept any callback',
    );
  }
  if (entries.length === 1 && entries[0] === 'none') return 'none';
  return entries.map((entry, index) => parseCredential(entry, index + 1));
};

const parseCredential = (entry: string, position: number): Credential => {
  const refuse = (rule: string) => new Error(`CALLBACK_AUTH entry ${position} ${rule}`);
  if (entry === '') throw refuse('is empty; remove the comma');
  if (entry === 'none') throw refuse('is `none`, which stands alone; remove it or the other entries');

  const [kind, rest] = cut(entry);
  const secret = unescapeComma(rest);
  switch (kind) {
    case 'basic': {
      const [user, password] = cut(secret);
      if (user === '' || password === '') throw refuse('(basic) needs a user and a password: basic:<user>:<password>');
      return { kind, digest: digestOf(secret) };
    }
    case 'query':
      if (secret === '') throw refuse('(query) needs a secret: query:<secret>');
      return { kind, digest: digestOf(secret) };
    case 'header': {
      const [name, value] = cut(secret);
      if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || value === '') {
        throw refuse('(header) needs a header name and a secret: header:<name>:<secret>');
      }
      return { kind, name: name.toLowerCase(), digest: digestOf(value) };
    }
    default:
      throw refuse('has an unknown kind; write basic:<user>:<password>, query:<secret> or header:<name>:<secret>');
  }
};

/** Cuts at the first colon: further colons belong to the secret. */
const cut = (text: string): [before: string, after: string] => {
  const colon = text.indexOf(':');
  return colon === -1 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
};

const unescapeComma = (text: string): string => text.replaceAll(/%2c/gi, ',');
