import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { withDeadline } from '@clickrelay/queue';

/*
 * Sends one POST step by step, to show which part of the way to the receiver fails: DNS, a firewall, a certificate, a
 * proxy that redirects.
 */

export const STEPS = ['resolved', 'connected', 'tls', 'answered', 'committed', 'split'] as const;

export interface Step {
  readonly step: (typeof STEPS)[number];
  readonly ok: boolean;
  readonly ms: number;
  /** What was found, or what is wrong. */
  readonly detail: string;
  /** What to do about it. */
  readonly mend: string | null;
}

export interface Sent {
  readonly steps: Step[];
  /** Undefined when no answer came. */
  readonly answer: { readonly status: number; readonly body: string } | undefined;
}

export interface ToSend {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For each step, in ms. */
  readonly timeoutMs: number;
}

/** How much of the receiver's answer is read. */
const MAX_ANSWER_BYTES = 16 * 1024;

/** Sends it as Clickatell would: does not follow redirects, and wants a valid certificate. */
export const sendThrough = async ({ url, headers, body, timeoutMs }: ToSend): Promise<Sent> => {
  const steps: Step[] = [];
  let since = performance.now();
  const note = (step: Step['step'], ok: boolean, detail: string, mend: string | null = null): void => {
    steps.push({ step, ok, ms: Math.round(performance.now() - since), detail, mend });
    since = performance.now();
  };
  const failed = (step: Step['step'], detail: string, mend: string): Sent => {
    note(step, false, detail, mend);
    return { steps, answer: undefined };
  };
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);

  let address: string;
  try {
    ({ address } = await inTime(lookup(hostname), timeoutMs));
    note('resolved', true, `${hostname} is ${address}`);
  } catch (error) {
    const reason = codeOf(error);
    return failed('resolved', `${hostname} has no address (${reason})`, 'add it to the DNS, or correct PUBLIC_URL');
  }

  let socket: Socket | TLSSocket = connect({ host: address, port });
  // The step that waits for the socket sees the error; later ones concern nobody, and must not end the process.
  socket.on('error', () => {});
  try {
    await inTime(once(socket, 'connect'), timeoutMs);
    note('connected', true, `${address} port ${port}`);
  } catch (error) {
    socket.destroy();
    const mend = 'open that port in the firewall, and see that the proxy or tunnel in front of the receiver runs';
    return failed('connected', `nothing takes a connection at ${address} port ${port} (${codeOf(error)})`, mend);
  }

  try {
    if (url.protocol === 'https:') {
      // Checked before anything is sent: only the holder of a valid certificate may see the credential.
      const secure = connectTls({
        socket,
        servername: nameForTls(hostname),
        host: hostname,
        rejectUnauthorized: false,
      });
      secure.on('error', () => {});
      socket = secure;
      try {
        await inTime(once(secure, 'secureConnect'), timeoutMs);
      } catch (error) {
        const mend =
          'what listens there speaks no TLS: give the proxy a certificate, or correct the port of PUBLIC_URL';
        return failed('tls', `no TLS with ${url.host} (${codeOf(error)})`, mend);
      }
      const until = secure.getPeerCertificate().valid_to;
      const reason = secure.authorizationError as Error | string | undefined;
      if (!secure.authorized) {
        const why = String((reason as { code?: string })?.code ?? reason);
        const detail = `the certificate of ${url.host} is not trusted (${why})`;
        return failed(
          'tls',
          detail,
          'install a certificate of a public authority, with its whole chain, and renew it in time',
        );
      }
      note('tls', true, `the certificate is good until ${new Date(until).toISOString().slice(0, 10)}`);
    }

    const answer = await inTime(post(socket, { url, headers, body }), timeoutMs);
    note('answered', ...judge(answer, url));
    return { steps, answer };
  } catch (error) {
    const detail = `${url.host} took the connection and gave no answer (${codeOf(error)})`;
    return failed('answered', detail, 'see the log of the proxy: it may not reach the receiver');
  } finally {
    socket.destroy();
  }
};

interface Answered {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
}

const post = async (
  socket: Socket,
  { url, headers, body }: Pick<ToSend, 'url' | 'headers' | 'body'>,
): Promise<Answered> => {
  const sending = request({
    method: 'POST',
    createConnection: () => socket,
    path: `${url.pathname}${url.search}`,
    headers: {
      host: url.host,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      connection: 'close',
      ...headers,
    },
  });
  sending.end(body);
  const [response] = await once(sending, 'response');
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    text += chunk;
    if (text.length > MAX_ANSWER_BYTES) break;
  }
  return { status: response.statusCode, location: response.headers.location, body: text.slice(0, MAX_ANSWER_BYTES) };
};

/** Judges whether a receiver accepted the callback. */
const judge = ({ status, location, body }: Answered, url: URL): [ok: boolean, detail: string, mend: string | null] => {
  if (status >= 300 && status < 400) {
    const target = location !== undefined && URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    // Without the query, which may repeat the credential.
    const where = target === undefined ? '' : ` to ${target.origin}${target.pathname}`;
    const mend = 'nothing in front of the receiver may redirect: Clickatell does not follow, and drops the callback';
    return [false, `${status}: a redirect${where}`, mend];
  }
  if (status === 200 && isAccepted(body)) return [true, '200: accepted', null];
  if (status === 200) {
    return [
      false,
      '200, but what answers is not the receiver',
      'send the callback paths on to the receiver, unchanged',
    ];
  }
  return [false, `${status}${codeIn(body)}`, MENDS[status] ?? 'see the log of the proxy and of the receiver'];
};

const MENDS: Readonly<Record<number, string>> = {
  401:
    'the receiver does not know the credential: give the API the same CALLBACK_AUTH, and see that the proxy ' +
    'passes headers and query on',
  403: 'CALLBACK_ALLOW_IPS does not hold the address that this came from; Clickatell may be allowed all the same',
  404: 'the path is not that of the receiver: see CALLBACK_PATH_PREFIX, and that the proxy changes no path',
  413: 'the proxy takes no body of this size: allow at least what MAX_BODY_BYTES says',
  429: 'too many wrong credentials came from here: wait a minute',
  502: 'the proxy does not reach the receiver',
  503: 'the receiver keeps nothing at the moment: see its readiness',
  504: 'the receiver does not answer the proxy in time',
};

const isAccepted = (body: string): boolean => /^\s*\{"accepted":\d+/.test(body);

/** The error code, if a receiver answered. */
const codeIn = (body: string): string => {
  const [, code] = /^\s*\{"error":\{"code":"([a-z_]{1,60})"/.exec(body) ?? [];
  return code === undefined ? '' : `: ${code}`;
};

/** SNI takes names only, not addresses. */
const nameForTls = (hostname: string): string => (/^[\d.]+$|:/.test(hostname) ? '' : hostname);

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? (error as Error).name;

const inTime = <Value>(step: Promise<Value>, ms: number): Promise<Value> =>
  withDeadline(step, ms, { error: () => Object.assign(new Error('late'), { code: `nothing in ${ms / 1_000} s` }) });
