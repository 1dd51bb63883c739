import { globSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type RedisServer, startRedis } from '@clickrelay/testkit';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = new URL('../src/', import.meta.url);
const files = globSync('**/*.lua', { cwd: root });

let server: RedisServer;
let redis: Redis;
beforeAll(async () => {
  server = await startRedis();
  redis = new Redis(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

it('makes up no key: each command of a script names one of KEYS, or what was handed on from there', () => {
  const madeUp = globSync('**/*.{lua,ts}', { cwd: root })
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) =>
      [...readFileSync(new URL(file, root), 'utf8').matchAll(/redis\.p?call\('\w+',\s*([^,)\n]*)/g)]
        .filter(([, key = '']) => /\.\.|ARGV|^'/.test(key))
        .map(([command]) => `${file}: ${command}`),
    );
  expect(madeUp).toEqual([]);
});

describe.each(files)('%s', (file) => {
  it('is a script that Redis takes', async () => {
    const script = await readFile(new URL(file, root), 'utf8');
    expect(await redis.script('LOAD', script)).toMatch(/^[0-9a-f]{40}$/);
  });

  it('says in its header what it does, what it is given and what comes back', async () => {
    const script = await readFile(new URL(file, root), 'utf8');
    const header = script.slice(0, script.search(/^(?!--)/m));
    // A piece that others begin with has functions only; it says what each is.
    if (file.endsWith('.part.lua')) return expect(header).toMatch(/^-- \S/);
    expect(header).toMatch(/^-- \S[^\n]*\n(.*\n)*-- KEYS/);
    expect(header).toMatch(/^-- ARGV|takes no ARGV/m);
    expect(header).toMatch(/^-- Returns/m);
  });
});
