import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sampleCallback } from '@clickrelay/simulator';
import { openEditor } from './editor.ts';
import { readExample } from './examples.ts';
import { PACKAGE_FOLDER, packPackage } from './install-package.ts';
import { startRig } from './rig.ts';

// Takes the pictures for the n8n package's README, in the real editor with a real event. They are not packed: npm shows
// the README with links into the repository.

const pictures = join(PACKAGE_FOLDER, 'docs');
/** Keeps the README quick to load. */
const MAX_BYTES = 150_000;

const folder = await mkdtemp(join(tmpdir(), 'clickrelay-screenshots-'));
try {
  const rig = await startRig({ tarball: await packPackage(folder) });
  try {
    const workflow = await rig.addWorkflow(await readExample('auto-reply-bot'));
    const message = { channel: 'whatsapp', from: '27829990001', to: '27829990002' };
    const asks = { content: 'What are your hours?', relatedMessageId: null, relatedClientMessageId: null };
    await rig.relay.post(sampleCallback('moText', { ...message, ...asks, whatsapp: { profileName: 'Thandi' } }));
    await rig.ended(workflow, 1);

    const editor = await openEditor(rig.n8n.url);
    try {
      await mkdir(pictures, { recursive: true });
      const take = async (name: string): Promise<void> => {
        await sleep(1_500); // notices fade, and panels slide in
        const path = join(pictures, `${name}.png`);
        await editor.page.screenshot({ path });
        const { size } = await stat(path);
        if (size > MAX_BYTES) throw new Error(`${path} has ${size} bytes; at most ${MAX_BYTES} are allowed`);
        console.error(`> ${path}: ${size} bytes`);
      };
      await editor.openWorkflow(workflow.id);
      await editor.execute();
      await take('workflow');
      await editor.openNode('Clickatell Trigger');
      await editor.showSchema();
      await take('trigger');
      await editor.closeNode();
      await editor.openNode('Answer');
      await take('action');
    } finally {
      await editor.close();
    }
  } finally {
    await rig.stop();
  }
} finally {
  await rm(folder, { recursive: true });
}
