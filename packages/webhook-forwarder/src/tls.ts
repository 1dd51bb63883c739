import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { z } from 'zod';

const MAX_PEM_LENGTH = 64 * 1024;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
const NO_PEM = 'must be PEM, from -----BEGIN to -----END';
const pem = z
  .string()
  .max(MAX_PEM_LENGTH)
  .regex(/-----BEGIN [A-Z0-9 ]+-----[\s\S]+-----END [A-Z0-9 ]+-----/, NO_PEM);

const members = z.strictObject({
  cert: pem.exactOptional().describe('Our certificate, with those between it and its authority, as PEM.'),
  key: pem.exactOptional().describe('Its private key, as PEM without a passphrase.'),
  ca: pem
    .exactOptional()
    .describe("The authorities that the destination's certificate may come from, as PEM, in place of the usual ones."),
});

export type Tls = z.output<typeof members>;

/** Says what is wrong with these settings, or undefined when nothing is. Quotes nothing of them. */
export const checkTls = ({ cert, key, ca }: Tls): string | undefined => {
  if ((cert === undefined) !== (key === undefined)) return 'tls must hold cert and key together';
  if (cert === undefined && ca === undefined) return 'tls must hold cert and key, or ca, or all three';
  try {
    // OpenSSL passes over authorities that it cannot read.
    for (const one of ca?.match(CERTIFICATE) ?? []) new X509Certificate(one);
    createSecureContext({ ...(cert !== undefined && { cert }), ...(key !== undefined && { key }), ...(ca && { ca }) });
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH') return 'tls.key must be the private key of tls.cert';
    return `tls must hold PEM that OpenSSL can read, and a key without a passphrase; OpenSSL says ${code ?? 'no more'}`;
  }
};

const refuse = (refusal: string | undefined, issues: z.core.$ZodRawIssue[]): void => {
  if (refusal !== undefined) issues.push({ code: 'custom', message: refusal, input: undefined });
};

/** A client certificate, and authorities to trust. */
export const tls = members.check(({ value, issues }) => refuse(checkTls(value), issues));

/** The same as people write it, who may leave out or hide a key that the destination already has. */
export const declaredTls = (hidden: string) =>
  members
    .extend({
      key: z
        .union([z.literal(hidden), pem], { error: NO_PEM })
        .exactOptional()
        .describe(members.shape.key.description ?? ''),
    })
    .check(({ value, issues }) => {
      const isKept = value.cert !== undefined && (value.key === undefined || value.key === hidden);
      if (!isKept) refuse(checkTls(value), issues);
    });
