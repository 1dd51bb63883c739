/** Why a request got no answer, in a sentence that says what to do. */
export interface NoAnswer {
  readonly message: string;
  readonly description: string;
  /** Whether the address is wrong, so that waiting cannot help. */
  readonly isHopeless: boolean;
  /** Whether the address is probably wrong, unless what is there is only starting. */
  readonly isDoubtful: boolean;
}

const NO_TLS: readonly string[] = ['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'];
const NO_HOST: readonly string[] = ['ENOTFOUND', 'EAI_AGAIN'];
const CERTIFICATE = /CERT|SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/;

/** @param what whose address it is: "Clickrelay" or "Clickatell" */
export const explainNoAnswer = (code: string, baseUrl: string, what: string): NoAnswer => {
  const { protocol, host, hostname } = readAddress(baseUrl) ?? {};
  if (host === undefined) return { ...hopeless, ...noAddress(baseUrl) };
  if (NO_TLS.includes(code)) {
    const description = `Change https to http in the base URL of the credential, or use the port where ${what} takes https.`;
    return { ...hopeless, message: `${host} does not speak https`, description };
  }
  if (CERTIFICATE.test(code)) {
    const description = `The base URL must name the host as its certificate does, and n8n must trust who signed it (NODE_EXTRA_CA_CERTS). (${code})`;
    return { ...hopeless, message: `n8n does not trust the certificate of ${host}`, description };
  }
  if (NO_HOST.includes(code)) {
    const description = `Check the base URL of the credential, as n8n reaches it: in Docker that is the name of the container. (${code})`;
    return { ...hopeful, isDoubtful: true, message: `There is no host “${hostname}” for n8n`, description };
  }
  if (code === 'ECONNREFUSED') {
    const own = /^(localhost|127\.|\[::1)/.test(hostname ?? '');
    const description = own
      ? `If n8n runs in Docker, ${hostname} is n8n’s own container: use the name of ${what}’s, or host.docker.internal. Else start ${what}, or check the port.`
      : `Start ${what}, or check the port in the base URL of the credential.`;
    return { ...hopeful, message: `Nothing listens at ${host}`, description };
  }
  if (code === 'ECONNRESET' && protocol === 'http:') {
    const description = `It may want https: then begin the base URL of the credential with https://. (${code})`;
    return { ...hopeful, message: `${host} cuts the connection`, description };
  }
  const description = `Check the base URL of the credential, and whether a firewall lets n8n reach it. (${code})`;
  return { ...hopeful, message: `${host} does not answer`, description };
};

/** Whether waiting cannot help, by the code alone. */
export const isHopeless = (code: string): boolean =>
  code === 'ERR_INVALID_URL' || NO_TLS.includes(code) || CERTIFICATE.test(code);

const hopeless = { isHopeless: true, isDoubtful: true };
const hopeful = { isHopeless: false, isDoubtful: false };

const noAddress = (baseUrl: string) => ({
  message: baseUrl === '' ? 'The base URL is empty' : `The base URL “${baseUrl}” is no address`,
  description: 'It begins with http:// or https://, then has the host and the port, such as http://clickrelay:8081.',
});

const readAddress = (text: string): URL | undefined => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined;
};

/** The system's code for a failed connection, such as ECONNREFUSED, wherever n8n or its HTTP client put it. */
export const codeOf = (error: unknown): string => {
  const seen: unknown[] = [];
  for (let at = error; typeof at === 'object' && at !== null && !seen.includes(at); ) {
    seen.push(at);
    const { code, cause, errorResponse } = at as { code?: unknown; cause?: unknown; errorResponse?: unknown };
    if (typeof code === 'string' && code !== 'ERR_BAD_REQUEST') return code;
    at = cause ?? errorResponse;
  }
  const { message } = (error ?? {}) as { message?: unknown };
  const named = /\b(E[A-Z]{3,}|ERR_[A-Z_]+|[A-Z]+_CERT[A-Z_]*)\b/.exec(String(message ?? ''))?.[0];
  return named ?? (/socket hang up/i.test(String(message)) ? 'ECONNRESET' : String(message ?? 'no reason given'));
};
