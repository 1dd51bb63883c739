import { sampleCallback } from '@clickrelay/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fillRelay } from './fill-relay.ts';
import { findChromium } from './find-chromium.ts';
import { findViolations, sidewaysAt320 } from './find-violations.ts';
import { PAGES } from './pages.ts';
import { type ConsoleUnderTest, startConsole, type Watched } from './use-console.ts';

/*
 * The console as people use it: real API, worker and Redis, a real Chromium. Each question of an operator is a test,
 * named by it, and is answered with at most three clicks.
 */

const CHROMIUM = findChromium();
if (CHROMIUM === undefined) console.warn('NO CHROMIUM IS HERE: the console was not tested in a browser');

const MOST_CLICKS = 3;

/** Presses Tab until a control with this text has the focus. */
const tabTo = async (page: Watched['page'], text: RegExp): Promise<void> => {
  for (let pressed = 0; pressed < 100; pressed++) {
    if (text.test(await page.evaluate(() => document.activeElement?.textContent ?? ''))) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not reach ${text}`);
};

describe.skipIf(CHROMIUM === undefined)('the console', () => {
  let relay: ConsoleUnderTest;
  beforeAll(async () => {
    relay = await startConsole();
    await fillRelay(relay);
  });
  afterAll(() => relay.stop());

  const firstRow = ({ page }: Watched, name: RegExp) => page.getByRole('row', { name }).first();
  /** By two keys; on a machine so busy that the second is too late, again, as people do. */
  const goTo = async (watched: Watched, letter: string, row: RegExp): Promise<void> => {
    const press = async (): Promise<void> => {
      await watched.page.keyboard.press('g');
      await watched.page.keyboard.press(letter);
    };
    await press();
    await firstRow(watched, row)
      .waitFor({ timeout: 10_000 })
      .catch(async () => {
        await press();
        await firstRow(watched, row).waitFor();
      });
  };

  it('asks for a key, refuses a wrong one in words, and opens the page that was asked for', async () => {
    const { page, foreign, complaints } = await relay.open('/events?type=mo*');
    await page.getByLabel('API key').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('this is no key of this API').waitFor();
    await page.getByLabel('API key').fill(relay.apiKey);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('row', { name: /moText/ }).waitFor();
    expect(new URL(page.url()).search).toBe('?type=mo*');
    expect(await page.getByRole('row', { name: /messageStatusUpdate/ }).count()).toBe(0);
    expect(
      await page.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage), document.cookie]),
    ).toEqual([[], [], '']);
    expect(foreign).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('is anything stuck? names the destination that fails, with the next step', async () => {
    const watched = await relay.signIn('/');
    const { page } = watched;
    await page
      .getByRole('heading', { level: 3, name: /crm (has|got)/ })
      .first()
      .waitFor();
    await page.getByRole('row', { name: /(Failing|Warning|Critical) crm/ }).waitFor();
    await page.getByRole('img', { name: /^Callbacks per minute\. .*Refused: at most/ }).waitFor();
    await page.getByRole('img', { name: /^Attempts by outcome, all destinations\. .*Dead letters: at most/ }).waitFor();
    expect(watched.clicks()).toBe(0);
  });

  it('did we lose anything? shows a sum that adds up, and its end on the ledger', async () => {
    const watched = await relay.signIn('/');
    const { page } = watched;
    await page.getByRole('term').filter({ hasText: 'Unaccounted' }).waitFor();
    const numbers = await page.locator('.ledger dd').allTextContents();
    const [owed, ...parts] = numbers.map((text) => Number(text.replaceAll(/\D/g, '')));
    expect(owed).toBeGreaterThan(0);
    expect(parts.reduce((sum, part) => sum + part, 0)).toBe(owed);
    await page.getByRole('link', { name: 'Ledger' }).click();
    await page.getByRole('heading', { name: 'Nothing is unaccounted for' }).waitFor();
    await page.getByRole('row', { name: /^crm/ }).waitFor();
    expect(watched.clicks()).toBeLessThanOrEqual(MOST_CLICKS);
  });

  it('what came in just now? shows an event that comes while one looks', async () => {
    const watched = await relay.signIn('/events');
    const { page } = watched;
    await firstRow(watched, /moText/).waitFor();
    const before = await page.getByRole('row', { name: /moContacts/ }).count();
    await relay.post(sampleCallback('moContacts'));
    await page
      .getByRole('row', { name: /moContacts/ })
      .nth(before)
      .waitFor();
    expect(watched.clicks()).toBe(0);
  });

  it('what happened to this event? shows callback, deliveries, attempts and the answer', async () => {
    const watched = await relay.signIn('/events?type=moText');
    const { page } = watched;
    await firstRow(watched, /moText/)
      .getByRole('link')
      .first()
      .click();
    await page.getByText('Callback received').waitFor();
    await page.getByRole('heading', { name: /warehouse Delivered/ }).waitFor();
    await page.getByRole('button', { name: /503/ }).first().waitFor();
    expect(watched.clicks()).toBeLessThanOrEqual(MOST_CLICKS);
  });

  it('did message X arrive? finds it by its id and says so in a sentence', async () => {
    const watched = await relay.signIn('/events?type=messageStatusUpdate');
    const { page } = watched;
    const link = firstRow(watched, /messageStatusUpdate/)
      .getByRole('link')
      .nth(1);
    const href = (await link.getAttribute('href')) ?? '';
    await page.getByRole('searchbox').fill(decodeURIComponent(href.split('/').at(-1) ?? ''));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'The message reached the phone' }).waitFor();
    expect(new URL(page.url()).pathname).toBe(href);
    expect(watched.clicks()).toBeLessThanOrEqual(MOST_CLICKS);
  });

  it('why did Y not get it? shows what the destination answered, and why an event is not for it', async () => {
    const watched = await relay.signIn('/events?type=messageStatusUpdate');
    const { page } = watched;
    const event =
      (await firstRow(watched, /messageStatus/)
        .getByRole('link')
        .first()
        .getAttribute('href')) ?? '';
    await page.goto(`${relay.url}/destinations`);
    const before = watched.clicks();
    await page.getByRole('link', { name: 'crm', exact: true }).click();
    await page
      .getByRole('row', { name: /Dead letter .*503/ })
      .first()
      .waitFor();
    await page.getByRole('img', { name: /^How long an attempt at crm takes\. p50: at most/ }).waitFor();
    await page.getByLabel('Event id').fill(event.split('/').at(-1) ?? '');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByText(/wants mo\*; this is messageStatusUpdate/).waitFor();
    expect(watched.clicks() - before).toBeLessThanOrEqual(MOST_CLICKS);
  });

  it('what could not be read? shows the complaint, and the bytes on request', async () => {
    const watched = await relay.signIn('/quarantine');
    const { page } = watched;
    await firstRow(watched, /JSON/).getByRole('link').first().click();
    await page.getByText('Hidden: it may hold personal data').waitFor();
    await page.getByRole('button', { name: 'Reveal' }).click();
    await page.getByText('{"event": no JSON').first().waitFor();
    expect(watched.clicks()).toBeLessThanOrEqual(MOST_CLICKS);
  });

  it('how do I connect it? shows two addresses, and sends a test callback through them', async () => {
    const watched = await relay.signIn('/setup');
    const { page } = watched;
    await page.getByText('/client-callback/one-api-reply').waitFor();
    await page.getByText('/client-callback/one-api-status').waitFor();
    await page.getByRole('button', { name: 'Send test callback' }).click();
    await page.getByRole('heading', { name: 'Split' }).waitFor();
    expect(watched.clicks()).toBeLessThanOrEqual(MOST_CLICKS);
  });

  it('what waits and what failed? lists deliveries by destination and outcome, and the address holds that', async () => {
    const watched = await relay.signIn('/deliveries');
    const { page } = watched;
    await firstRow(watched, /warehouse Delivered/).waitFor();
    await page.getByRole('combobox', { name: /^Destination/ }).selectOption('crm');
    await page.getByRole('button', { name: 'Dead letters' }).click();
    await firstRow(watched, /Delivered/).waitFor({ state: 'detached' });
    await firstRow(watched, /crm Dead letter .*503/).waitFor();
    expect(new URL(page.url()).search).toBe('?destination=crm&state=dead_letter');
    await page.reload();
    await firstRow(watched, /crm Dead letter/)
      .getByRole('link')
      .first()
      .click();
    await page.getByText('Callback received').waitFor();
    expect(watched.clicks()).toBeLessThanOrEqual(MOST_CLICKS);
  });

  it('what was refused, and why? tells a missing credential from a wrong one', async () => {
    const watched = await relay.signIn('/intake');
    const { page } = watched;
    await page.getByRole('row', { name: /^No credential.* 401 1 / }).waitFor();
    await page.getByRole('row', { name: /^Wrong credential.* 401 1 / }).waitFor();
    await page.getByRole('row', { name: /Takes callbacks .* empty, room for/ }).waitFor();
    await page.getByText('Callbacks per minute as a table').click();
    const table = page.getByRole('region', { name: 'Callbacks per minute, as a table' });
    await table.getByRole('columnheader', { name: 'Refused' }).waitFor();
    expect(watched.clicks()).toBeLessThanOrEqual(MOST_CLICKS);
  });

  it('is used by keys alone: find, open, select, replay, and a list of the keys', async () => {
    const watched = await relay.signIn('/');
    const { page } = watched;
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('href') ?? '');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'hidden' });
    await goTo(watched, 'e', /moText/);
    await page.keyboard.press('j');
    const first = await focused();
    await page.keyboard.press('j');
    expect([first, await focused()]).toEqual([expect.stringContaining('/events/'), expect.not.stringMatching(first)]);
    await page.keyboard.press('k');
    expect(await focused()).toBe(first);
    await page.keyboard.press('x');
    await page.getByRole('complementary', { name: 'Selected event' }).waitFor();
    await page.getByRole('button', { name: /^Paused/ }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Live' }).waitFor();
    expect(await focused()).toBe(first);
    await page.keyboard.press('.');
    await page.getByRole('button', { name: /^Paused/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('Callback received').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('crm jk');
    expect(await page.getByRole('searchbox').inputValue()).toBe('crm jk');
    await page.keyboard.press('Escape');
    await page.getByRole('searchbox').fill('crm');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'crm' }).waitFor();
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => document.activeElement?.id !== 'find');
    await goTo(watched, 'd', /crm/);
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.getByText(/all that match but 1/).waitFor();
    for (const button of [/^Count what would be sent$/, /^Send \d+ again$/]) {
      await page.getByRole('button', { name: button }).waitFor();
      await tabTo(page, button);
      await page.keyboard.press('Enter');
    }
    await page.getByRole('region', { name: /^Replay/ }).waitFor();
  });

  it('send these again: counts what would be sent, sends it, and says what became of it', async () => {
    const watched = await relay.signIn('/dead-letters');
    const { page } = watched;
    await page
      .getByRole('button', { name: /answered 503/ })
      .first()
      .click();
    await page.getByRole('button', { name: 'Count what would be sent' }).click();
    await page.getByRole('button', { name: /^Send \d+ again$/ }).click();
    await page.getByText(/^([1-9]\d*) of \1 looked at/).waitFor();
    await page.getByText(/\d+ failed again/).waitFor();
    expect(watched.clicks()).toBeLessThanOrEqual(MOST_CLICKS);
  });

  it('copies the call behind a list, without the key', async () => {
    const { page } = await relay.signIn('/deliveries?destination=crm&state=dead_letter');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const copied = () => page.evaluate(() => navigator.clipboard.readText());
    await page.getByRole('button', { name: 'Copy as curl' }).click();
    await page.getByText('Copied the curl command').waitFor();
    const query = 'destination=crm&state=dead_letter&limit=100';
    expect(await copied()).toBe(`curl -H "Authorization: Bearer $KEY" '${relay.url}/v1/deliveries?${query}'`);
    await page.getByRole('button', { name: 'Copy as CLI command' }).click();
    await page.getByText('Copied the CLI command').waitFor();
    expect(await copied()).toBe('clickrelay deliveries --destination crm --state dead_letter');
  });

  it('holds nothing personal that it does not show', async () => {
    const watched = await relay.signIn('/events');
    const { page, received } = watched;
    await firstRow(watched, /moText/)
      .getByRole('link')
      .first()
      .click();
    await page.getByText('Callback received').waitFor();
    const [element] = sampleCallback('moText').event['moText'] as { from: string }[];
    const all = await received();
    expect(all).toContain('moText');
    expect(all).not.toContain(element?.from);
  });

  it('is accessible on every page, in both themes, and fits 320 px', async () => {
    const watched = await relay.signIn('/', { bypassPolicy: true });
    const { page } = watched;
    for (const path of PAGES) {
      await page.goto(relay.url + path);
      await page.getByRole('heading').first().waitFor();
      await page.waitForFunction(() => document.querySelector('[aria-busy=true]') === null);
      expect([path, await findViolations(watched)]).toEqual([path, []]);
      expect([path, await sidewaysAt320(watched)]).toEqual([path, 0]);
    }
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    expect(await findViolations(watched)).toEqual([]);
  });

  it('is accessible with nothing to show, and when requests fail', async () => {
    const watched = await relay.signIn('/no-such-page', { bypassPolicy: true });
    const { page } = watched;
    const lists = { items: [], next: null, groups: [], rows: [], hours: [], destinations: [] };
    for (const [state, answer, says] of [
      ['empty', { status: 200, json: lists }, /Nothing|no |not /],
      [
        'failed',
        { status: 500, json: { error: { code: 'internal_error', message: 'it broke' } } },
        /could not be read/,
      ],
    ] as const) {
      await page.route(/\/v1\/(deliveries|events|hours|lag|parts|dead-letters|quarantine|replays)\b/, (route) =>
        route.fulfill(answer),
      );
      for (const path of ['/deliveries', '/intake', '/events', '/dead-letters']) {
        await page.goto(relay.url + path);
        await page.getByText(says).filter({ visible: true }).first().waitFor();
        expect([state, path, await findViolations(watched)]).toEqual([state, path, []]);
      }
      await page.unrouteAll({ behavior: 'ignoreErrors' });
    }
  });
});
