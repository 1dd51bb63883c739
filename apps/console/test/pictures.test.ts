import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, it } from 'vitest';
import { fillRelay } from './fill-relay.ts';
import { findChromium } from './find-chromium.ts';
import { PAGES } from './pages.ts';
import { startConsole } from './use-console.ts';

/*
 * Pictures of every page, at two widths and in both themes, for a person to look at, and in `docs/` those of
 * docs/console.md: `CLICKRELAY_PICTURES=/tmp/pictures ./test pictures`.
 */

const FOLDER = process.env['CLICKRELAY_PICTURES'];
const WIDTHS = [1360, 390] as const;
const LONG_MS = 600_000;

const show = async (page: Page, url: string): Promise<void> => {
  await page.goto(url);
  await page.getByRole('heading').first().waitFor();
  await page.waitForFunction(() => document.querySelector('[aria-busy=true]') === null);
};

/** Charts are drawn once their card has its width. */
const settle = (page: Page): Promise<unknown> =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

const nameOf = (path: string): string => path.slice(1).replaceAll(/\W+/g, '-') || 'overview';

describe.skipIf(FOLDER === undefined || findChromium() === undefined)('pictures', () => {
  it(
    'of every page',
    async () => {
      const folder = FOLDER ?? '';
      await mkdir(join(folder, 'docs'), { recursive: true });
      const relay = await startConsole();
      try {
        await fillRelay(relay, 8);
        const { page } = await relay.signIn('/');
        const event = await page.evaluate(async () => {
          const { items } = await (await fetch('/v1/events?type=moText&limit=1')).json();
          return items[0] as { id: string; messageId: string };
        });
        const own = { event: `/events/${event.id}`, message: `/messages/${event.messageId}` };
        const all = [...PAGES.map((path) => [nameOf(path), path]), ...Object.entries(own)] as [string, string][];
        for (const [name, path] of all) {
          await show(page, relay.url + path);
          for (const width of WIDTHS) {
            for (const colorScheme of ['light', 'dark'] as const) {
              await page.setViewportSize({ width, height: 860 });
              await page.emulateMedia({ colorScheme });
              await settle(page);
              await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
            }
          }
        }
        await page.setViewportSize({ width: 1200, height: 820 });
        for (const [name, path, colorScheme] of [
          ['overview', '/', 'light'],
          ['deliveries', '/deliveries', 'dark'],
          ['event', own.event, 'light'],
          ['intake', '/intake', 'dark'],
        ] as const) {
          await page.emulateMedia({ colorScheme });
          await show(page, relay.url + path);
          await settle(page);
          await page.screenshot({ path: join(folder, 'docs', `${name}.png`) });
        }
      } finally {
        await relay.stop();
      }
    },
    LONG_MS,
  );
});
