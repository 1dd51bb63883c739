import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { type WebhookConfig, webhookConfig } from './config.ts';
import { generateSecret } from './secret.ts';
import { checkUrl } from './url.ts';

const url = 'https://crm.example.com/clickatell';
const ofBytes = (count: number) => `whsec_${Buffer.alloc(count, 7).toString('base64')}`;

const complaints = (config: unknown): string[] => {
  const result = webhookConfig.safeParse(config, { reportInput: true });
  return result.success ? [] : result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
};

test('a url is all that a destination needs', () => {
  const config: WebhookConfig = webhookConfig.parse({ url });
  expect(config).toEqual({
    url,
    secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
    format: 'event',
    timeoutMs: 15_000,
    concurrency: 32,
  });
});

test('each generated secret is another one, and is accepted when read back', () => {
  const { secret } = webhookConfig.parse({ url });
  expect(secret).not.toBe(webhookConfig.parse({ url }).secret);
  expect(webhookConfig.parse({ url, secret })).toMatchObject({ secret });
});

test('the JSON Schema shows no secret as a default', () => {
  expect(JSON.stringify(z.toJSONSchema(webhookConfig))).not.toContain('whsec_g');
  expect(z.toJSONSchema(webhookConfig, { io: 'input' })).toMatchObject({ required: ['url'] });
  expect(inspect(z.toJSONSchema(webhookConfig), { depth: 9 })).not.toMatch(/whsec_[A-Za-z0-9+/]{20}/);
});

test.each([
  'https://crm.example.com',
  'http://10.0.0.7:8080/hook?token=x@y',
  'https://[2001:db8::1]/',
  'https://bücher.example/über',
  'HTTPS://CRM.EXAMPLE.COM/',
])('%s may be a url', (text) => {
  expect(checkUrl(text)).toBeUndefined();
});

test.each([
  ['ftp://crm.example.com/', /^url must start with https:\/\/ .* got ftp:$/],
  ['javascript:alert(1)', /got javascript:$/],
  ['file:///etc/passwd', /got file:$/],
  ['crm.example.com/hook', /^url must be an absolute URL/],
  ['//crm.example.com/hook', /^url must be an absolute URL/],
  ['https://', /^url must be an absolute URL/],
  ['https://crm.example.com:99999/', /^url must be an absolute URL/],
  ['https://user:canary@crm.example.com/', /^url must hold no user name or password/],
  ['https://canary@crm.example.com/', /^url must hold no user name or password/],
  ['https://@crm.example.com/', /^url must hold no user name or password/],
  ['https:crm.example.com@10.0.0.1/', /^url must hold no user name or password/],
  ['https://crm.example.com/#canary', /^url must have no fragment/],
  ['https://crm.example.com/#', /^url must have no fragment/],
  ['https://crm.example.com\\@10.0.0.1/', /^url must hold no white space, control character or backslash$/],
  ['https://crm.exa\nmple.com/', /^url must hold no white space/],
  ['https://crm.example.com/\0canary', /^url must hold no white space/],
  [' https://crm.example.com/', /^url must hold no white space/],
  [`https://crm.example.com/${'a'.repeat(2048)}`, /^url must have at most 2048 characters, got 2072$/],
])('%j may not', (text, reason) => {
  expect(checkUrl(text)).toMatch(reason);
  expect(complaints({ url: text })).toEqual([expect.stringMatching(/^url: url must/)]);
});

test.each([[ofBytes(24)], [ofBytes(64)], [[ofBytes(24), ofBytes(32)]]])('%j is a secret', (secret) => {
  expect(webhookConfig.parse({ url, secret }).secret).toEqual(secret);
});

const rule = 'secret: secret must be whsec_ and 24 to 64 bytes in base64, or whsk_ and 32 or 64';
test.each([
  [ofBytes(23), `${rule}, got 23 bytes`],
  [ofBytes(65), `${rule}, got 65 bytes`],
  ['', `${rule}, got no whsec_; leave it out to have one generated`],
  ['whsec_', `${rule}, got 0 bytes`],
  ['hunter2', `${rule}, got no whsec_; leave it out to have one generated`],
  ['whsec_not base64!', `${rule}, got something that is not padded base64`],
  [ofBytes(25).replace('=', ''), `${rule}, got something that is not padded base64`],
  [[ofBytes(24), 'hunter2'], `${rule}, got no whsec_; leave it out to have one generated`],
  [7, 'secret: secret must be one whsec_… or whsk_…, or a list of them'],
])('%j is not', (secret, complaint) => {
  expect(complaints({ url, secret })).toEqual([complaint]);
});

test('a private key of Ed25519 is a secret: the seed, or the seed and the public key', () => {
  const key = (count: number) => `whsk_${Buffer.alloc(count, 7).toString('base64')}`;
  for (const count of [32, 64]) expect(complaints({ url, secret: key(count) })).toEqual([]);
  for (const count of [0, 24, 33, 65])
    expect(complaints({ url, secret: key(count) })).toEqual([`${rule}, got ${count} bytes`]);
});

test('a secret in a list may have an end, but not all of them', () => {
  const until = '2026-11-23T10:00:00Z';
  const ending = { secret: ofBytes(24), until };
  const secret = [ofBytes(32), ending];
  expect(webhookConfig.parse({ url, secret }).secret).toEqual(secret);
  expect(complaints({ url, secret: [ending] })).toEqual([
    'secret: secret must hold one without `until`: nothing would be signed when all have ended',
  ]);
  for (const wrong of [{ ...ending, until: 'tomorrow' }, { ...ending, more: 1 }, { secret: ofBytes(24) }]) {
    expect(complaints({ url, secret: [ofBytes(32), wrong] })).toHaveLength(1);
  }
  expect(complaints({ url, secret: [ofBytes(32), { secret: 'hunter2', until }] })).toEqual([
    `${rule}, got no whsec_; leave it out to have one generated`,
  ]);
});

test('a list of secrets is neither empty nor long', () => {
  expect(complaints({ url, secret: [] })).toHaveLength(1);
  expect(complaints({ url, secret: Array.from({ length: 9 }, generateSecret) })).toHaveLength(1);
});

test('no refusal repeats a secret or the query of a url', () => {
  const { error } = webhookConfig.safeParse(
    { url: 'ftp://u:canary@crm.example.com/?token=canary#canary', secret: ['canary', 'whsec_canary'] },
    { reportInput: true },
  );
  expect(error?.issues).toHaveLength(3);
  expect(JSON.stringify(error?.issues) + inspect(error, { depth: 9 })).not.toContain('canary');
});

test.each([{ timeoutMs: 30_001 }, { timeoutMs: 99 }, { timeoutMs: 1.5 }, { concurrency: 0 }, { format: 'xml' }])(
  '%j is refused',
  (change) => {
    expect(complaints({ url, ...change })).toHaveLength(1);
  },
);
