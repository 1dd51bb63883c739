import { createPrivateKey, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';

/**
 * Signs deliveries. `whsec_` is a key that both sides know (HMAC-SHA256, `v1`). `whsk_` is a private Ed25519 key
 * (`v1a`) whose public half alone the destination knows.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export interface SigningKey {
  readonly version: 'v1' | 'v1a';
  readonly key: KeyObject;
}

/** A secret, or one that is being rotated out and signs until then. */
export type LiveSecret = string | { readonly secret: string; readonly until: string };

const HMAC_BYTES = { least: 24, most: 64 } as const;
const GENERATED_BYTES = 32;
/** The seed alone, or with the public key after it, as NaCl stores it. */
const ED25519_BYTES: readonly number[] = [32, 64];

/** Makes a signing secret: `whsec_`, or `whsk_` for an Ed25519 key, and 32 random bytes in base64. */
export const generateSecret = (kind: 'whsec_' | 'whsk_' = 'whsec_'): string =>
  kind + randomBytes(GENERATED_BYTES).toString('base64');

/** Says why this is not a secret, or undefined when it is one. Quotes nothing of it. */
export const checkSecret = (secret: string): string | undefined => {
  const rule = `secret must be whsec_ and ${HMAC_BYTES.least} to ${HMAC_BYTES.most} bytes in base64, or whsk_ and 32 or 64`;
  const parts = /^(whsec_|whsk_)(.*)$/s.exec(secret);
  if (parts === null) return `${rule}, got no whsec_; leave it out to have one generated`;
  const [, prefix, encoded = ''] = parts;
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.toString('base64') !== encoded) return `${rule}, got something that is not padded base64`;
  const fits =
    prefix === 'whsk_'
      ? ED25519_BYTES.includes(bytes.length)
      : bytes.length >= HMAC_BYTES.least && bytes.length <= HMAC_BYTES.most;
  return fits ? undefined : `${rule}, got ${bytes.length} bytes`;
};

/** @param secret valid by `checkSecret` */
export const readSecret = (secret: string): SigningKey => {
  const separator = secret.indexOf('_') + 1;
  const bytes = Buffer.from(secret.slice(separator), 'base64');
  // Given bare bytes, Node would make a key for each signature, which takes longer than signing.
  if (secret.startsWith('whsec_')) return { version: 'v1', key: createSecretKey(bytes) };
  // Node does not accept a bare seed: PKCS #8 is these 16 bytes and the seed (RFC 8410, section 7).
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), bytes.subarray(0, 32)]);
  return { version: 'v1a', key: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }) };
};
