import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { sampleCallback } from '@clickrelay/simulator';
import { waitUntil } from '@clickrelay/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium } from './find-chromium.ts';
import { type ConsoleUnderTest, startConsole, type Watched } from './use-console.ts';

/* The console as people use it: real API, worker and Redis, a real Chromium. Each test is named by the question. */

const CHROMIUM = findChromium();
if (CHROMIUM === undefined) console.warn('NO CHROMIUM IS HERE: the console was not tested in a browser');

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Axe {
  run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
}

/** What axe finds against WCAG 2.2 AA: rule and element. */
const findings = async ({ page }: Watched): Promise<string[]> => {
  await page.addScriptTag({ content: AXE });
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: Axe };
    const values = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'];
    const { violations } = await axe.run({ runOnly: { type: 'tag', values } });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
};

const PAGES = [
  '/',
  '/events',
  '/destinations',
  '/destinations/crm',
  '/dead-letters',
  '/quarantine',
  '/replays',
  '/ledger',
  '/setup',
  '/keys',
  '/no-such-page',
];

describe.skipIf(CHROMIUM === undefined)('the console', () => {
  let relay: ConsoleUnderTest;
  beforeAll(async () => {
    relay = await startConsole();
    await relay.post(sampleCallback('moText'));
    await relay.post(sampleCallback('messageStatusUpdate'));
    await waitUntil(() => relay.good.requests.length >= 2);
    await waitUntil(() => relay.bad.requests.length >= 1);
  });
  afterAll(() => relay.stop());

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

  it('is anything stuck? names the destination that fails, and the sum of the ledger', async () => {
    const { page } = await relay.signIn('/');
    await page
      .getByRole('heading', { level: 3, name: /crm has/ })
      .first()
      .waitFor();
    await page.getByRole('row', { name: /(Failing|Warning) crm/ }).waitFor();
    await page.getByRole('term').filter({ hasText: 'Unaccounted' }).waitFor();
  });

  it('what came in just now? shows an event that comes while one looks', async () => {
    const { page } = await relay.signIn('/events');
    await page
      .getByRole('row', { name: /moText/ })
      .first()
      .waitFor();
    const before = await page.getByRole('row', { name: /moLocation/ }).count();
    await relay.post(sampleCallback('moLocation'));
    await page
      .getByRole('row', { name: /moLocation/ })
      .nth(before)
      .waitFor();
  });

  it('what happened to this event? shows callback, deliveries, attempts and the answer', async () => {
    const { page } = await relay.signIn('/events?type=moText');
    await page
      .getByRole('row', { name: /moText/ })
      .first()
      .getByRole('link')
      .first()
      .click();
    await page.getByText('Callback received').waitFor();
    await page.getByRole('heading', { name: /warehouse Delivered/ }).waitFor();
    await page.getByRole('button', { name: /503/ }).first().waitFor();
  });

  it('did message X arrive? finds it by its id and says so in a sentence', async () => {
    const { page } = await relay.signIn('/events?type=messageStatusUpdate');
    const link = page
      .getByRole('row', { name: /messageStatusUpdate/ })
      .first()
      .getByRole('link')
      .nth(1);
    const href = (await link.getAttribute('href')) ?? '';
    await page.getByRole('searchbox').fill(decodeURIComponent(href.split('/').at(-1) ?? ''));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'The message reached the phone' }).waitFor();
    expect(new URL(page.url()).pathname).toBe(href);
  });

  it('holds nothing personal that it does not show', async () => {
    const { page, received } = await relay.signIn('/events');
    await page
      .getByRole('row', { name: /moText/ })
      .first()
      .waitFor();
    await page
      .getByRole('row', { name: /moText/ })
      .first()
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
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await findings(watched), `${path} ${colorScheme}`).toEqual([]);
      }
      await page.setViewportSize({ width: 320, height: 900 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(320);
      await page.setViewportSize({ width: 1360, height: 900 });
    }
  });
});
