import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findRedisServer, freePort } from '@clickrelay/service/machine';
import { type Program, startProgram, waitUntil } from '@clickrelay/testkit';
import type { Row, Run } from '../run.ts';

// `clickrelay start`, which runs all parts and a Redis of its own.

const clickrelay = fileURLToPath(import.meta.resolve('@clickrelay/cli/main'));

/** What is in `run.json`, as far as rows look at it. */
interface RunFile {
  readonly pid: number;
  readonly receiverUrl: string;
  readonly pids: Readonly<Record<string, number>>;
}

/** A folder for `clickrelay start`, with ports and a Redis. */
const makeDataDir = async (run: Run) => {
  const root = await mkdtemp(join(tmpdir(), 'clickrelay-start-'));
  const dir = join(root, 'data');
  const runFile = (): RunFile => JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8')) as RunFile;
  run.defer(async () => {
    try {
      const { pid, pids } = runFile();
      for (const one of [pid, ...Object.values(pids)]) process.kill(one, 'SIGKILL');
    } catch {
      // Nothing runs any more.
    }
    await rm(root, { recursive: true, force: true });
  });
  const env = async (): Promise<Record<string, string>> => ({
    DATA_DIR: dir,
    PORT: String(await freePort()),
    API_PORT: String(await freePort()),
    CLICKRELAY_REDIS_SERVER: findRedisServer(),
    CALLBACK_AUTH: 'query:s1',
  });
  return { dir, env, runFile };
};

/** The answer to a callback, 0 without one. */
const post = async (receiverUrl: string): Promise<number> => {
  try {
    const response = await fetch(`${receiverUrl}/client-callback/one-api-reply?token=s1`, {
      method: 'POST',
      body: '{"event":{"moText":[{"messageId":"0","content":"hi"}]}}',
      signal: AbortSignal.timeout(10_000),
    });
    return response.status;
  } catch {
    return 0;
  }
};

const startTwice: Row = {
  id: 'G33',
  fault: 'two `clickrelay start` on one DATA_DIR at the same moment',
  shortIn: 'apps/cli/test/lock.test.ts',
  timeoutMs: 480_000,
  run: async (run) => {
    const { env, runFile } = await makeDataDir(run);
    for (let round = 0; round < (run.isLong ? 6 : 1); round++) {
      const envs = await Promise.all([env(), env()]);
      const programs = await Promise.all(envs.map((one) => startProgram({ args: [clickrelay, 'start'], env: one })));
      for (const program of programs) run.defer(() => program.stop('SIGTERM'));
      const isReady = (program: Program): boolean => /is ready/.test(program.stdout());
      const refused = await Promise.race([
        ...programs.map((program) => program.exited.then(() => program)),
        sleep(60_000, undefined, { ref: false }),
      ]);
      if (refused === undefined) {
        run.check(false, 'after a minute both run');
        return;
      }
      const [winner] = programs.filter((program) => program !== refused) as [Program];
      await waitUntil(() => isReady(winner), { timeoutMs: 60_000, what: 'the other one ready' });
      const { code } = await refused.exited;
      run.check(code === 1, `the second ended with ${code}`);
      run.check(
        refused.stderr().includes(`(pid ${winner.pid}`) || refused.stderr().includes('runs already'),
        'the second does not say that the first runs',
      );
      run.check(runFile().pid === winner.pid, 'run.json is not of the one that runs');
      const status = await post(runFile().receiverUrl);
      run.check(status === 200, `a callback was answered ${status}`);
      await winner.stop(run.random.pick(['SIGTERM', 'SIGINT']));
    }
  },
};

const readerGone: Row = {
  id: 'G36',
  fault: 'nobody reads the log of `clickrelay start` any more, then its parts die',
  shortIn: 'apps/cli/test/start.test.ts',
  run: async (run) => {
    const { env, runFile } = await makeDataDir(run);
    const shell = await startProgram({
      command: 'sh',
      args: ['-c', '"$NODE" "$CLICKRELAY" start 2>&1 | { sed "/is ready/q"; exec 0<&-; echo reader gone; }'],
      env: { ...(await env()), NODE: process.execPath, CLICKRELAY: clickrelay },
      readyOutput: /reader gone/,
    });
    run.defer(() => shell.stop('SIGKILL'));
    const { pid } = runFile();
    for (const name of run.isLong ? ['worker', 'receiver', 'redis', 'api', 'receiver'] : ['receiver', 'redis']) {
      const before = runFile().pids[name] as number;
      process.kill(before, 'SIGKILL');
      await waitUntil(() => ![undefined, before].includes(runFile().pids[name]), {
        timeoutMs: 30_000,
        what: `another ${name}`,
      }).catch((error: Error) => run.check(false, error.message));
      run.step(`${name} was killed`);
    }
    await waitUntil(async () => (await post(runFile().receiverUrl)) === 200, { timeoutMs: 60_000, what: '200 again' });
    process.kill(pid, 'SIGTERM');
    await shell.exited;
  },
};

export const supervisors: readonly Row[] = [startTwice, readerGone];
