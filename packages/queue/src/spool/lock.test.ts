import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram } from '@clickrelay/testkit';
import { describe, expect, it } from 'vitest';
import { useSpool } from '../../test/use-spool.ts';
import { openSpool, type Spool } from './spool.ts';

const folder = useSpool();

describe('a spool belongs to one receiver', () => {
  it('and is refused to a second', async () => {
    await folder.open();
    await expect(openSpool({ dir: folder.dir, patienceMs: 200 })).rejects.toMatchObject({
      code: 'spool_in_use',
      message: `SPOOL_DIR ${folder.dir} belongs to another receiver that runs; give each receiver a folder of its own`,
    });
  });

  it('and to the next one when the first was killed, with all that is in it', async () => {
    const program = await startProgram({
      args: [new URL('../../test/spool-process.ts', import.meta.url).pathname],
      env: { DIR: folder.dir, FROM: '0' },
      readyOutput: /100\n/,
    });
    await expect(openSpool({ dir: folder.dir, patienceMs: 0 })).rejects.toMatchObject({ code: 'spool_in_use' });
    const [next] = await Promise.all([openSpool({ dir: folder.dir, patienceMs: 60_000 }), program.stop('SIGKILL')]);
    folder.spool = next;
    expect(next.stats().records).toBeGreaterThan(100);
  });

  it('of those that come at the same time, to exactly one', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, () => openSpool({ dir: folder.dir, patienceMs: 300 })),
    );
    const opened = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(opened).toHaveLength(1);
    folder.spool = opened[0] as Spool;
  });

  it('and its folder must be usable', async () => {
    writeFileSync(join(folder.dir, 'file'), '');
    await expect(openSpool({ dir: join(folder.dir, 'file') })).rejects.toMatchObject({ code: 'spool_unusable' });
  });
});
