import { hash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callbackUrls } from '@clickrelay/service/settings';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { shownCredential } from './announce.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'announce-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

const urlShown = (callbackAuth: string, isTerminal: boolean): string =>
  callbackUrls('https://x.example', '/in', shownCredential({ secrets: { callbackAuth }, dataDir }, { isTerminal }))
    .reply;

it('a terminal is shown the credential in the callback URLs, escaped; a journal or a pipe is not', () => {
  expect(urlShown('query:a%2Cb&c,header:x:y', true)).toBe('https://x.example/in/one-api-reply?token=a%2Cb%26c');
  expect(urlShown('query:a%2Cb&c,header:x:y', false)).toBe('https://x.example/in/one-api-reply?token=(hidden)');
  expect(urlShown('header:x:y', false)).toBe('https://x.example/in/one-api-reply');
});

it('it is the newest that was made, and never one that has ended', async () => {
  const kept = { made: ['query:newer', 'query:new'], ends: { [hash('sha256', 'newer')]: '2026-01-01T00:00:00Z' } };
  await writeFile(join(dataDir, 'credentials.json'), JSON.stringify(kept));
  expect(urlShown('query:declared', true)).toBe('https://x.example/in/one-api-reply?token=new');
});
