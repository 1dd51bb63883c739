import { DeliveryError } from '@clickrelay/core';

/* The ways in which there is no answer, in words that quote nothing of what was sent or received. */

export const aborted = (host: string): DeliveryError =>
  new DeliveryError('delivery_aborted', `delivery to ${host} was stopped half-way`, { retryable: true });

export const timedOut = (host: string, cause?: string): DeliveryError =>
  new DeliveryError('destination_timeout', `${host} did not answer in time`, { retryable: true, cause });

export const impossibleHeader = (host: string): DeliveryError =>
  new DeliveryError(
    'delivery_not_built',
    `${host} was not called: a header of the delivery has a character that HTTP does not allow`,
    { retryable: false },
  );

export const noAnswer = (host: string, why: string, cause: string): DeliveryError =>
  new DeliveryError('destination_unreachable', `no answer from ${host}: ${why}`, { retryable: true, cause });

const TIMEOUT_CODES = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT']);
const WANTS_CERTIFICATE = /ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE)$/;
const REFUSES_CERTIFICATE = /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED)$/;
const ABOUT_IT = 'if it wants a client certificate, see `tls`';

/**
 * Reports only the error's code: the messages of Node and undici may hold addresses, headers and bytes of the answer.
 * @param error undefined when the destination closed the connection in order
 * @param isAfterHandshake whether TLS was set up and not a byte came afterwards
 */
export const networkError = (
  host: string,
  error: (Error & { code?: unknown }) | undefined,
  isAfterHandshake = false,
): DeliveryError => {
  if (error instanceof DeliveryError) return error;
  const code = error === undefined ? 'CONNECTION_CLOSED' : codeOf(error);
  if (TIMEOUT_CODES.has(code)) return timedOut(host, code);
  if (WANTS_CERTIFICATE.test(code)) return endedHandshake(host, code);
  if (REFUSES_CERTIFICATE.test(code)) return noAnswer(host, `it refused the certificate of \`tls\` (${code})`, code);
  if (isAfterHandshake) {
    return noAnswer(host, `it closed the connection right after the TLS handshake (${code}); ${ABOUT_IT}`, code);
  }
  if (error === undefined) return noAnswer(host, 'it closed the connection', code);
  return new DeliveryError('destination_unreachable', `no answer from ${host} (${code})`, {
    retryable: true,
    cause: code,
  });
};

/** The destination broke off before TLS was set up, or said that it misses a certificate. */
export const endedHandshake = (host: string, code: string): DeliveryError =>
  noAnswer(host, `it ended the TLS handshake (${code}); ${ABOUT_IT}`, code);

const codeOf = ({ code }: { code?: unknown }): string =>
  typeof code === 'string' && /^[A-Z][A-Z0-9_/]{0,63}$/.test(code) ? code : 'UNKNOWN';
