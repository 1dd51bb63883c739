import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import {
  type CallbackCredential,
  readCallbackAuth,
  readKeptCredentials,
  usableCredentials,
} from '@clickrelay/service/settings';
import {
  createSender,
  type Envelope,
  freshCopy,
  type OddSample,
  type SampleType,
  type SenderOptions,
  type SendReport,
  type SendResult,
  samples,
} from '@clickrelay/simulator';
import type { Config } from '../../config.ts';
import { readRunFile, readSecrets } from '../../data-dir.ts';
import { CommandError, usageError } from '../../errors.ts';
import { oneLine } from '../../format.ts';
import { isLoopback } from '../../loopback.ts';
import type { Context } from '../context.ts';

export interface SendOptions {
  count: number;
  rate?: number;
  duplicate: number;
  shuffle: number;
  connections: number;
  tries: number;
  exact?: boolean;
  url?: string;
  auth?: string;
  singleUrl?: boolean;
}

/** A callback to send. */
interface Sample {
  name: string;
  body: Envelope | string | Uint8Array;
}

/** Up to this many callbacks, each answer is shown; above it, only a summary. */
const MOST_SHOWN = 20;

/** Sends callbacks as Clickatell does. @returns the exit code: 1 if any was lost */
export const send = async (what: string, options: SendOptions, context: Context): Promise<number> => {
  const chosen = await chooseSamples(what);
  const isNamed = chosen.every(({ body }) => isEnvelope(body));
  // A single file is sent byte for byte. Several equal copies would be one event, so each copy becomes a new one.
  const isFresh = options.exact !== true && (isNamed || options.count > 1);
  const total = chosen.length * options.count;
  const names = new Map<unknown, string>();
  function* callbacks(): Generator<Sample['body']> {
    for (let n = 0; n < total; n++) {
      const { name, body } = chosen[n % chosen.length] as Sample;
      const copy = isFresh ? fresh(body) : body;
      if (total <= MOST_SHOWN) names.set(copy, name);
      yield copy;
    }
  }

  const target = chooseTarget(options, context.config);
  const sender = createSender({ ...target, tries: options.tries, connections: Math.max(options.connections, 1) });
  const results: (SendResult & { sample: string | undefined })[] = [];
  const progress = showProgress(total, context);
  try {
    const report = await sender.sendMany(callbacks(), {
      duplicate: options.duplicate,
      shuffle: options.shuffle,
      // One at a time when there are few, so that the answers are in order too.
      connections: total <= MOST_SHOWN && options.duplicate === 0 ? 1 : options.connections,
      signal: context.signal,
      ...(options.rate === undefined ? {} : { ratePerSecond: options.rate }),
      onResult: (result, callback) => {
        // Only for the first: if the receiver goes away later, the summary says so.
        if (progress.count() === 1) checkRunning(result, target.url, context.config);
        if (total > MOST_SHOWN) return;
        results.push({ sample: names.get(callback), ...result });
        if (!context.json) context.print(resultText(names.get(callback), result));
      },
    });
    progress.end();
    if (context.json) context.print(JSON.stringify({ ...report, ...(results.length > 0 && { results }) }, null, 2));
    else if (total > MOST_SHOWN) context.print(reportText(report));
    const hint = hintFor(report, options);
    if (hint !== undefined && !context.json) context.print(hint);
    return report.lost > 0 ? 1 : 0;
  } finally {
    progress.end();
    await sender.close();
  }
};

/** The samples that `send` knows. */
export const sampleNames = {
  documented: ['reply', 'status', ...Object.keys(samples.byType)],
  odd: Object.keys(samples.odd),
};

const chooseSamples = async (what: string): Promise<Sample[]> => {
  if (what === '-') return [{ name: 'stdin', body: await text(process.stdin) }];
  if (what === 'all') {
    const every = [samples.byType, samples.odd].flatMap((group) => Object.entries<Envelope>(group));
    return every.map(([name, body]) => ({ name, body }));
  }
  const named: Record<string, Envelope> = {
    reply: samples.reply,
    status: samples.status,
    ...samples.byType,
    ...samples.odd,
  };
  const body = Object.hasOwn(named, what) ? named[what as SampleType | OddSample] : undefined;
  if (body !== undefined) return [{ name: what, body }];
  try {
    return [{ name: what, body: await readFile(what) }];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw usageError(
      `no sample and no file is named ${what}; ` +
        `samples: all, ${[...sampleNames.documented, ...sampleNames.odd].join(', ')}`,
    );
  }
};

const isEnvelope = (body: Sample['body']): body is Envelope =>
  typeof body === 'object' && !(body instanceof Uint8Array);

/** A copy that is a new event, if the text is an envelope. */
const fresh = (body: Sample['body']): Sample['body'] => {
  if (isEnvelope(body)) return freshCopy(body);
  try {
    return freshCopy(JSON.parse(typeof body === 'string' ? body : Buffer.from(body).toString()) as Envelope);
  } catch {
    return body;
  }
};

const chooseTarget = (options: SendOptions, config: Config): SenderOptions => {
  const here = readRunFile(config.DATA_DIR)?.receiverUrl ?? `http://127.0.0.1:${config.PORT || 8080}`;
  const url =
    options.url ?? `${here}${config.CALLBACK_PATH_PREFIX === '/' ? '/one-api-reply' : config.CALLBACK_PATH_PREFIX}`;
  if (!URL.canParse(url)) throw usageError(`--url takes a URL such as http://localhost:8080, got ${url}`);
  // The credential in DATA_DIR belongs to the receiver on this machine: no other host gets it.
  const kept = isLoopback(url) && !new URL(url).searchParams.has('token') && options.singleUrl !== true;
  const [credential] =
    options.auth === undefined && kept ? keptCredentials(config) : readCallbackAuth(options.auth ?? 'none');
  if (credential === undefined) {
    throw usageError('--auth takes query:<secret>, basic:<user>:<password>, header:<name>:<secret> or none');
  }
  const target: SenderOptions = { url, ...(options.singleUrl && { singleUrl: true }) };
  if (credential.kind === 'basic') target.auth = { basic: credential };
  if (credential.kind === 'header') target.auth = { header: credential };
  if (credential.kind === 'query') {
    const withToken = new URL(url);
    withToken.searchParams.set('token', credential.secret);
    target.url = withToken.href;
  }
  return target;
};

/** Those that the receiver on this machine accepts, the newest first. */
const keptCredentials = ({ CALLBACK_AUTH, DATA_DIR }: Config): CallbackCredential[] => {
  const declared = CALLBACK_AUTH || readSecrets(DATA_DIR).callbackAuth || 'none';
  return usableCredentials(declared, readKeptCredentials(DATA_DIR));
};

const checkRunning = ({ status, answer }: SendResult, url: string, config: Config): void => {
  if (status !== 0 || !answer.startsWith('ECONNREFUSED')) return;
  throw new CommandError(
    'not_running',
    `nothing answers at ${new URL(url).origin}: ` +
      `start clickrelay with \`${config.CLICKRELAY_COMMAND} start\`, or give --url`,
  );
};

const resultText = (name: string | undefined, { status, tries, ms, answer }: SendResult): string => {
  const again = tries > 1 ? `, after ${tries} tries` : '';
  const lost = status >= 300 && status < 400 ? ' (a redirect: Clickatell would lose this callback)' : '';
  const what = status === 0 ? `no answer: ${answer}` : `${status} ${oneLine(answer, 100)}`;
  return `${name ?? 'callback'}: ${what}${lost} in ${ms.toFixed(1)} ms${again}`;
};

const reportText = ({ sent, accepted, resent, lost, p50, p99, durationMs, statuses }: SendReport): string => {
  const answers = Object.entries(statuses).map(
    ([status, times]) => `${status === '0' ? 'no answer' : status}: ${times}`,
  );
  const perSecond = Math.round((sent * 1000) / durationMs);
  return [
    `sent      ${sent} callbacks in ${(durationMs / 1000).toFixed(1)} s, ${perSecond} a second`,
    `accepted  ${accepted}, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
    `resent    ${resent}`,
    `lost      ${lost}`,
    `answers   ${answers.join(', ')}`,
  ].join('\n');
};

const hintFor = ({ statuses }: SendReport, options: SendOptions): string | undefined => {
  if (statuses[401] === undefined) return undefined;
  return options.auth === undefined
    ? '401: the receiver wants another credential; set CALLBACK_AUTH as the receiver has it, or give --auth'
    : '401: the receiver does not know the credential that --auth gives';
};

/** Shows progress on a terminal, in a line that overwrites itself. */
const showProgress = (total: number, { json }: Context): { count: () => number; end: () => void } => {
  let done = 0;
  const count = () => ++done;
  if (json || total <= MOST_SHOWN || process.stderr.isTTY !== true) return { count, end: () => {} };
  const timer = setInterval(() => process.stderr.write(`\r${done} of ${total} answered`), 500);
  return {
    count,
    end: () => {
      clearInterval(timer);
      process.stderr.write('\r\x1b[K');
    },
  };
};
