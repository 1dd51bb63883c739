import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { OWNER } from './n8n-client.ts';

export interface Editor {
  readonly page: Page;
  /** Shows a whole workflow. */
  openWorkflow(id: string): Promise<void>;
  /** Opens the panel of a node of the shown workflow. */
  openNode(name: string): Promise<void>;
  /** Shows the output of the open node as a schema: names and values below each other. */
  showSchema(): Promise<void>;
  closeNode(): Promise<void>;
  /** Runs the shown workflow, and waits for its end. */
  execute(): Promise<void>;
  close(): Promise<void>;
}

const BROWSERS = [
  process.env['CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/**
 * Opens n8n's editor in a headless Chromium of this machine, and logs in.
 * @throws {Error} when there is no Chromium
 */
export const openEditor = async (url: string): Promise<Editor> => {
  const executablePath = BROWSERS.find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined) {
    throw new Error('no Chromium here; install it (on Debian: apt-get install chromium) or set CHROMIUM to its path');
  }
  const profile = await mkdtemp(join(tmpdir(), 'clickrelay-chromium-'));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    viewport: { width: 1280, height: 800 },
    // No sandbox, because tests often run as root, which Chromium refuses with one. It shows only our own n8n.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(30_000);
  // Hints for beginners would cover the workflow.
  await page.addInitScript(`
    localStorage.setItem('N8N_PIN_DATA_DISCOVERY_NDV', 'true');
    localStorage.setItem('N8N_PIN_DATA_DISCOVERY_CANVAS', 'true');
  `);
  await page.goto(`${url}/signin`);
  await page.locator('input[name=emailOrLdapLoginId]').fill(OWNER.email);
  await page.locator('input[name=password]').fill(OWNER.password);
  await page.locator('[data-test-id=form-submit-button]').click();
  await page.waitForURL((now) => !now.pathname.startsWith('/signin'));

  return {
    page,
    openWorkflow: async (id) => {
      await page.goto(`${url}/workflow/${id}`);
      await page.locator('[data-test-id=canvas-node]').first().waitFor();
      await page.keyboard.press('1'); // zoom to fit
    },
    openNode: async (name) => {
      await page.locator(`[data-test-id=canvas-node][data-node-name="${name}"]`).dblclick();
      await page.locator('[data-test-id=node-parameters]').waitFor();
    },
    showSchema: async () => {
      await page.locator('[data-test-id=output-panel] [data-test-id=radio-button-schema]').click();
    },
    closeNode: async () => {
      await page.keyboard.press('Escape');
      await page.locator('[data-test-id=node-parameters]').waitFor({ state: 'hidden' });
    },
    execute: async () => {
      await page.locator('[data-test-id=execute-workflow-button]').click();
      await page.getByText('Workflow executed successfully').waitFor();
      await page.getByText('Workflow executed successfully').waitFor({ state: 'hidden' });
    },
    close: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
};
