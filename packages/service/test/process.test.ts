import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';

const stoppingProgram = fileURLToPath(new URL('stopping-program.ts', import.meta.url));
const lateProgram = fileURLToPath(new URL('late-program.ts', import.meta.url));
const startingProgram = fileURLToPath(new URL('starting-program.ts', import.meta.url));
const processes = new URL('../src/process/index.ts', import.meta.url).href;

let end: (() => void) | undefined;
afterEach(() => end?.());

/** @param supervised whether it gets the channel that `clickrelay start` opens */
const spawnProgram = (args: string[], supervised: boolean) => {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit', supervised ? 'ipc' : 'ignore'],
  });
  end = () => child.kill('SIGKILL');
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const says = (text: string) => expect.poll(() => output, { timeout: 20_000 }).toContain(text);
  return { child, says };
};

const startProgram = async (supervised: boolean) => {
  const started = spawnProgram([stoppingProgram], supervised);
  await started.says('listening');
  return started;
};

it('ends at once on the second signal, whichever it is', async () => {
  const { child, says } = await startProgram(false);
  child.kill('SIGTERM');
  await says('told true');
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([null, 'SIGINT']);
});

it('leaves the time it gets after a signal to `clickrelay start`, and stops when that is gone', async () => {
  const { child, says } = await startProgram(true);
  child.kill('SIGTERM');
  await says('told true');
  child.kill('SIGTERM');
  child.kill('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(child.exitCode ?? child.signalCode).toBe(null);
  child.disconnect();
  await expect.poll(() => child.kill('SIGTERM') || child.signalCode, { timeout: 20_000 }).toBe('SIGTERM');

  const orphan = await startProgram(true);
  orphan.child.disconnect();
  await orphan.says('told true');
});

it.each([
  ['a signal', (child: ChildProcess) => child.kill('SIGTERM')],
  ['the end of `clickrelay start`', (child: ChildProcess) => child.disconnect()],
])('ends in time after %s, whatever holds it up, and says so', async (_, stop) => {
  const { child, says } = spawnProgram([lateProgram], true);
  await says('listening');
  const exited = once(child, 'exit');
  stop(child);
  expect(await exited).toEqual([1, null]);
  await says('told\nlate\n');
});

it.each([
  ['while its modules load', 'loading', 1],
  ['while it starts', 'starting', 1],
  ['just before it listens', 'loading', 0],
  ['when it has started', 'listening', 0],
])('does not outlive a `clickrelay start` that goes away %s', async (when, step, code) => {
  const { child, says } = spawnProgram([startingProgram, when], true);
  await says(step);
  const exited = once(child, 'exit');
  child.disconnect();
  expect(await exited).toEqual([code, null]);
});

it.each([
  ['new KnownError("set it")', 1, 'set it\n'],
  ['new OtherError("no")', 1, expect.stringContaining('OtherError: no')],
])('for an error that explains itself, prints the message and ends with 1: %s', async (error, code, output) => {
  const script = `
    import { orExit } from ${JSON.stringify(processes)};
    class KnownError extends Error {}
    class OtherError extends Error { name = 'OtherError' }
    await orExit(() => { throw ${error}; }, KnownError);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'ignore', 'pipe'] });
  end = undefined;
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  expect(await once(child, 'close')).toEqual([code, null]);
  expect(told).toEqual(output);
});
