import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisServer, freePort } from '@clickrelay/service/machine';
import { createSender, type Envelope } from '@clickrelay/simulator';
import { type Destination, type Program, startDestination, startProgram } from '@clickrelay/testkit';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { findChromium } from './find-chromium.ts';

const CLI = join(import.meta.dirname, '../../cli/dist/main.js');

/** Without these the browser asks for addresses of its maker, which are none of a test's business. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

interface OpenOptions {
  readonly dark?: boolean;
  /** Of the window, in px. @default 1360 */
  readonly width?: number;
  /** Lets a test run a tool inside the page, which the page's policy forbids. */
  readonly bypassPolicy?: boolean;
  /** Cookies of a browser that was signed in before. */
  readonly state?: Awaited<ReturnType<BrowserContext['storageState']>> | undefined;
}

export interface ConsoleUnderTest {
  readonly url: string;
  readonly apiKey: string;
  /** A destination that takes everything, and one that answers 503. */
  readonly good: Destination;
  readonly bad: Destination;
  /** Posts a callback as Clickatell does. */
  post(envelope: Envelope): Promise<void>;
  /** Posts this body, with this token or without any. @returns the status */
  postRaw(body: string, options?: { readonly token?: string | null }): Promise<number>;
  /** Opens a page in a browser of its own: no session, no cache. Requests and complaints are noted. */
  open(path: string, options?: OpenOptions): Promise<Watched>;
  /** The same, signed in. */
  signIn(path: string, options?: OpenOptions): Promise<Watched>;
  stop(): Promise<void>;
}

export interface Watched {
  readonly page: Page;
  /** Addresses outside the origin that the page asked for. */
  readonly foreign: readonly string[];
  /** Errors of scripts, and complaints of the page's policy. */
  readonly complaints: readonly string[];
  /** How often somebody clicked or tapped since the page was opened, or since the sign-in. */
  readonly clicks: () => number;
  /** Every byte of text that the page received. */
  readonly received: () => Promise<string>;
}

/** Starts all of Clickrelay as people do, with two destinations, and a Chromium. */
export const startConsole = async (): Promise<ConsoleUnderTest> => {
  const folder = await mkdtemp(join(tmpdir(), 'clickrelay-console-'));
  const [good, bad] = await Promise.all([startDestination({ answer: 200 }), startDestination({ answer: 503 })]);
  const environment = {
    DATA_DIR: join(folder, 'data'),
    PORT: String(await freePort()),
    API_PORT: String(await freePort()),
    EGRESS_ALLOW: '127.0.0.0/8',
    // What fails is a dead letter soon.
    RETRY_SCHEDULE: '0s,100ms',
    DESTINATIONS_FILE: join(folder, 'destinations.yaml'),
    CLICKRELAY_REDIS_SERVER: findRedisServer(),
  };
  await writeFile(
    environment.DESTINATIONS_FILE,
    `destinations:
  - { id: warehouse, type: webhook, url: "${good.url}/hook" }
  - { id: crm, type: webhook, url: "${bad.url}/hook", events: ["mo*"] }
`,
  );
  const program: Program = await startProgram({
    args: [CLI, 'start', '--json'],
    env: environment,
    readyOutput: /"ready":true.*\n/,
  });
  const secrets = JSON.parse(await readFile(join(environment.DATA_DIR, 'secrets.json'), 'utf8'));
  const token = encodeURIComponent(secrets.callbackAuth.replace(/^query:/, ''));
  const callbackUrl = `http://127.0.0.1:${environment.PORT}/client-callback/one-api-reply`;
  const sender = createSender({ url: `${callbackUrl}?token=${token}` });
  const url = `http://127.0.0.1:${environment.API_PORT}`;
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('no Chromium is here');
  const browser: Browser = await chromium.launch({ executablePath, args: QUIET });
  const contexts: BrowserContext[] = [];
  let signedIn: OpenOptions['state'];

  const open: ConsoleUnderTest['open'] = async (
    path,
    { dark = false, width = 1360, bypassPolicy = false, state } = {},
  ) => {
    const context = await browser.newContext({
      viewport: { width, height: 900 },
      colorScheme: dark ? 'dark' : 'light',
      bypassCSP: bypassPolicy,
      ...(state !== undefined && { storageState: state }),
      timezoneId: 'Africa/Johannesburg',
    });
    contexts.push(context);
    const page = await context.newPage();
    let clicks = 0;
    await context.exposeBinding('clicked', () => {
      clicks++;
    });
    await context.addInitScript("addEventListener('pointerdown', () => window.clicked(), true)");
    const foreign: string[] = [];
    const complaints: string[] = [];
    const texts: Promise<string>[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(url)) foreign.push(request.url());
    });
    page.on('response', (response) => {
      if (!response.url().endsWith('/v1/stream')) texts.push(response.text().catch(() => ''));
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (/Content Security Policy|TrustedHTML|Refused to/i.test(message.text())) complaints.push(message.text());
    });
    await page.goto(url + path);
    return {
      page,
      foreign,
      complaints,
      clicks: () => clicks,
      received: async () => (await Promise.all(texts)).join('\n'),
    };
  };

  return {
    url,
    apiKey: secrets.apiKey,
    good,
    bad,
    post: async (envelope) => {
      const { accepted, status, answer } = await sender.send(envelope);
      if (!accepted) throw new Error(`the receiver answered ${status}: ${answer}`);
    },
    postRaw: async (body, { token: given = token } = {}) => {
      const headers = { 'content-type': 'application/json' };
      const query = given === null ? '' : `?token=${given}`;
      return (await fetch(callbackUrl + query, { method: 'POST', headers, body })).status;
    },
    open,
    signIn: async (path, options) => {
      const watched = await open(path, { ...options, state: signedIn });
      if (signedIn === undefined) {
        await watched.page.getByLabel('API key').fill(secrets.apiKey);
        await watched.page.getByRole('button', { name: 'Sign in' }).click();
      }
      await watched.page.getByRole('navigation', { name: 'Main' }).waitFor();
      signedIn ??= await watched.page.context().storageState();
      const before = watched.clicks();
      return { ...watched, clicks: () => watched.clicks() - before };
    },
    stop: async () => {
      for (const context of contexts) await context.close();
      await browser.close();
      await sender.close();
      await program.stop('SIGTERM', 40_000);
      await Promise.all([good.close(), bad.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
};
