import { sampleCallback } from '@clickrelay/simulator';
import { waitUntil } from '@clickrelay/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium } from './find-chromium.ts';
import { findViolations, sidewaysAt320 } from './find-violations.ts';
import { type ConsoleUnderTest, startConsole, type Watched } from './use-console.ts';

/* What people change in the console: real API, worker and Redis, a real Chromium. */

const CHROMIUM = findChromium();
if (CHROMIUM === undefined) console.warn('NO CHROMIUM IS HERE: the console was not tested in a browser');

describe.skipIf(CHROMIUM === undefined)('the console changes', () => {
  let relay: ConsoleUnderTest;
  let watched: Watched;
  beforeAll(async () => {
    relay = await startConsole();
    watched = await relay.signIn('/', { bypassPolicy: true });
  });
  afterAll(() => relay.stop());

  const open = async (path: string): Promise<Watched['page']> => {
    await watched.page.goto(relay.url + path);
    return watched.page;
  };
  /** As a program would: nothing of this is for the console only. */
  const api = async (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(relay.url + path, {
      method,
      headers: { authorization: `Bearer ${relay.apiKey}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const read = async (path: string) => (await api('GET', path)).json();

  it('a destination is made, its faults are shown at their fields while one types, and its secret once', async () => {
    const page = await open('/destinations');
    await page.getByRole('link', { name: 'New destination' }).click();
    await page.getByLabel('Name', { exact: true }).fill('shop');
    await page.getByLabel('URL', { exact: true }).fill('ftp://shop.example.com');
    await page.getByText('must start with https://').waitFor();
    await page.getByLabel('Filter').fill('event.from ==');
    await page.getByLabel('Filter').and(page.locator('[aria-invalid=true]')).waitFor();
    await page.getByLabel('Filter').fill("event.channel == 'sms'");
    await page.getByLabel('URL', { exact: true }).fill(`${relay.good.url}/shop`);
    await page.getByLabel('URL', { exact: true }).and(page.locator('[aria-invalid=false]')).waitFor();
    await page.getByText('How it recognises us').click();
    await page.getByLabel('Sign-in').selectOption('bearer');
    await page.getByLabel('Token', { exact: true }).fill('canary-token');
    await page.getByRole('button', { name: 'Make shop' }).click();
    await page.getByText(/^whsec_/).waitFor();
    await page.getByRole('link', { name: 'Go to shop' }).click();
    await page.getByRole('heading', { level: 1, name: /shop/ }).waitFor();
    expect(await read('/v1/destinations/shop')).toMatchObject({
      filter: "event.channel == 'sms'",
      auth: { type: 'bearer', token: '(hidden)' },
      secret: '(hidden)',
    });
    expect(await page.content()).not.toContain('whsec_');
  });

  it('of two administrators the second is told what the first changed, and nothing is overwritten', async () => {
    const page = await open('/destinations/shop/edit');
    await page.getByLabel('Event types').fill('mo*');
    expect((await api('PATCH', '/v1/destinations/shop', { timeoutMs: 9_000 })).status).toBe(200);
    await page.getByRole('button', { name: 'Save the changes' }).click();
    await page.getByText(/API_KEY has changed these settings/).waitFor();
    await page.getByText('15000 → 9000').waitFor();
    expect((await read('/v1/destinations/shop')).events).toEqual(['*']);
    expect(await findViolations(watched)).toEqual([]);
    await page.getByRole('button', { name: 'Take theirs, keep mine on top' }).click();
    await page.getByRole('button', { name: 'Save the changes' }).click();
    await page.waitForURL(/destinations\/shop$/);
    expect(await read('/v1/destinations/shop')).toMatchObject({ events: ['mo*'], timeoutMs: 9_000 });
  });

  it('a destination is tested, paused with a reason, its secret rotated, and removed by its name', async () => {
    const page = await open('/destinations/shop');
    await page.getByRole('button', { name: 'Send one test' }).click();
    await page.getByText(/answered 200 in/).waitFor();
    await page.getByRole('button', { name: 'Pause…' }).click();
    await page.getByLabel('Why, for others to read').fill('moving');
    await page.keyboard.press('Enter');
    await page.getByText('Paused: moving. 0 wait for it.').waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Pause…' }).click();
    await page.getByLabel('Why, for others to read').fill('moving');
    await page.keyboard.press('Enter');
    await relay.post(sampleCallback('moText', { channel: 'sms' }));
    await page.getByText('Paused: moving. 1 wait for it.').waitFor();
    await page.getByRole('button', { name: 'Rotate secret…' }).click();
    await page.getByRole('button', { name: 'Make a new secret' }).click();
    await page.getByText(/^whsec_/).waitFor();
    await page.getByText(/The old one signs too until/).waitFor();
    await page.getByRole('button', { name: 'Remove…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Remove shop?' });
    await dialog.getByText('1 that wait and 0 dead letters').waitFor();
    expect(await findViolations(watched)).toEqual([]);
    const remove = dialog.getByRole('button', { name: 'Remove shop' });
    expect(await remove.isDisabled()).toBe(true);
    await dialog.getByLabel(/Type shop/).fill('shop');
    await remove.click();
    await page.waitForURL(/destinations$/);
    expect((await api('GET', '/v1/destinations/shop')).status).toBe(404);
  });

  it('quarantined callbacks are counted, parsed again and deleted by selection, with a reason', async () => {
    for (const n of [1, 2, 3]) await relay.post({ ...sampleCallback('moText'), event: n } as never);
    await waitUntil(async () => (await read('/v1/quarantine')).items.length === 3);
    const page = await open('/quarantine');
    await page
      .getByRole('checkbox', { name: /Select qrt_/ })
      .first()
      .uncheck();
    await page.getByText('All that match but 1 are selected').waitFor();
    await page.getByRole('button', { name: 'Count what could be read now' }).click();
    await page.getByRole('button', { name: 'Parse 0 again' }).waitFor();
    await page.getByRole('button', { name: 'Delete 2…' }).click();
    await page.getByLabel('Why, for the audit record').fill('sent by a scanner');
    expect(await findViolations(watched)).toEqual([]);
    await page.getByRole('button', { name: 'Delete 2', exact: true }).click();
    await page.getByText('Done: 2 of 2').waitFor();
    expect((await read('/v1/quarantine')).items).toHaveLength(1);
  });

  it('a condition is acknowledged with a note, listed as known, and taken back', async () => {
    const page = await open('/');
    const need = page.locator('.need', { hasText: 'quarantine' }).first();
    await need.getByRole('button', { name: 'I know…' }).click();
    await page.getByLabel('Note for others').fill('the vendor is told');
    await page.getByRole('button', { name: 'I am looking at it' }).click();
    await page.getByText(/API_KEY \(session\), until .*: the vendor is told/).waitFor();
    await page.getByRole('button', { name: 'Take back' }).click();
    await need.getByRole('button', { name: 'I know…' }).waitFor();
  });

  it('a channel of alerts is added, tested and removed, and its address is never shown again', async () => {
    const page = await open('/alerts');
    await page.getByRole('button', { name: 'New channel' }).click();
    await page.getByLabel('Name', { exact: true }).fill('ops');
    await page.getByLabel('URL to post to').fill('gopher://x');
    await page.getByRole('button', { name: 'Save the channel' }).click();
    await page.getByText('must start with https://').waitFor();
    await page.getByLabel('URL to post to').fill(`${relay.good.url}/canary-channel`);
    expect(await findViolations(watched)).toEqual([]);
    await page.getByRole('button', { name: 'Save the channel' }).click();
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText('It took the test').waitFor();
    await page.getByRole('cell', { name: 'test', exact: true }).waitFor();
    expect(await page.content()).not.toContain('canary-channel');
    await page.getByRole('button', { name: 'Remove the channel ops' }).click();
    await page.getByRole('button', { name: 'Remove ops' }).click();
    await page.getByText('Nobody is told yet').waitFor();
  });

  it('a key is made and revoked by keyboard alone, and the audit record says so', async () => {
    const page = await open('/keys');
    await page.getByLabel('Name: who or what uses it').focus();
    await page.keyboard.type('anna');
    await page.keyboard.press('Enter');
    await page.getByText(/^crk_/).waitFor();
    await page.getByRole('button', { name: 'Revoke the key anna' }).focus();
    await page.keyboard.press('Enter');
    await page.getByLabel(/Type anna/).waitFor();
    await page.keyboard.type('anna');
    await page.keyboard.press('Enter');
    await page.getByText('There is no key but API_KEY').waitFor();
    await page.getByLabel('What was done').selectOption('key.');
    await page.getByRole('cell', { name: 'key removed' }).waitFor();
    expect(await page.getByRole('cell', { name: /destination/ }).count()).toBe(0);
    expect(new URL(page.url()).search).toBe('?action=key.');
  });

  it('a person who never saw a terminal makes the key of an n8n, with the least that it needs', async () => {
    const page = await open('/setup');
    await page.getByRole('button', { name: 'Make a key for n8n' }).click();
    const key = await page.getByText(/^crk_/).textContent();
    await page.getByText(relay.url, { exact: true }).waitFor();
    const who = await fetch(`${relay.url}/v1/whoami`, { headers: { authorization: `Bearer ${key}` } });
    expect(await who.json()).toMatchObject({ name: 'n8n', scopes: ['lease'], destinations: ['n8n-*'] });
  });

  it('every page of these is accessible in both themes, fits 320 px, and says what failed', async () => {
    const { page } = watched;
    for (const path of [
      '/alerts',
      '/destinations/new',
      '/destinations/crm',
      '/destinations/crm/edit',
      '/keys',
      '/setup',
    ]) {
      await open(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForFunction(() => document.querySelector('[aria-busy=true]') === null);
      for (const fold of await page.locator('.form > details').all()) {
        await fold.evaluate((details) => details.setAttribute('open', ''));
      }
      expect(await findViolations(watched), path).toEqual([]);
      expect(await sidewaysAt320(watched), path).toBe(0);
    }
    await page.route('**/v1/alerts**', (route) => route.abort());
    await open('/alerts');
    await page.getByText('This could not be read').first().waitFor();
    expect(await findViolations(watched)).toEqual([]);
    expect(watched.complaints).toEqual([]);
  });
});
