import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Watched } from './use-console.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Axe {
  run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
}

/** By WCAG 2.2 AA. A theme changes colours only, so the second theme is looked at for contrast. */
const ALL = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] };
const COLOURS = { type: 'rule', values: ['color-contrast'] };

/** What axe finds on the page as it is, in both themes: theme, rule and element. */
export const findViolations = async ({ page }: Watched): Promise<string[]> => {
  const found: string[] = [];
  await page.evaluate(AXE);
  for (const [colorScheme, runOnly] of [
    ['light', ALL],
    ['dark', COLOURS],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    const some = await page.evaluate(async (rules) => {
      const { axe } = window as unknown as { axe: Axe };
      const { violations } = await axe.run({ runOnly: rules, resultTypes: ['violations'] });
      return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
    }, runOnly);
    found.push(...some.map((one) => `${colorScheme} ${one}`));
  }
  return found;
};

/** How many px the page is wider than a window of 320 px. */
export const sidewaysAt320 = async ({ page }: Watched): Promise<number> => {
  await page.setViewportSize({ width: 320, height: 900 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  await page.setViewportSize({ width: 1360, height: 900 });
  return Math.max(wide - 320, 0);
};
