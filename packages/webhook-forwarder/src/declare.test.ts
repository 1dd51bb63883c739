import { describe, expect, test } from 'vitest';
import { completeWebhook, HIDDEN, hideSecrets, MissingSecretError, webhookDestination } from './declare.ts';
import { generateSecret } from './secret.ts';

const secret = generateSecret();
const url = 'https://crm.example.com/hook';
const oauth2 = {
  type: 'oauth2',
  tokenUrl: 'https://id.example.com/token',
  clientId: 'us',
  clientSecret: 'abc',
} as const;

const declare = (settings: object) => {
  const { id, type, events, ...rest } = webhookDestination.parse({ id: 'crm', type: 'webhook', url, ...settings });
  return rest;
};
const present = (settings: object) => ({ ...declare({ secret }), ...settings });

describe('secrets that are left out', () => {
  test('of a new destination: the signing secret is made, others are asked for', () => {
    expect(completeWebhook(declare({}), undefined).generatedSecret).toMatch(/^whsec_/);
    expect(completeWebhook(declare({ secret: HIDDEN }), undefined).generatedSecret).toMatch(/^whsec_/);
    for (const [settings, path] of [
      [{ auth: { type: 'bearer' } }, 'auth.token'],
      [{ auth: { type: 'bearer', token: HIDDEN } }, 'auth.token'],
      [{ auth: { type: 'basic', username: 'a' } }, 'auth.password'],
      [{ headers: { 'X-Key': HIDDEN } }, 'headers.x-key'],
    ] as const) {
      expect(() => completeWebhook(declare(settings), undefined)).toThrow(
        expect.objectContaining({ path, name: 'MissingSecretError' }),
      );
    }
  });

  test.each([
    [{ headers: { 'x-key': 'abc', 'x-b': 'c' } }],
    [{ auth: { type: 'bearer', token: 'abc' } }],
    [{ auth: { type: 'basic', username: 'a', password: 'abc' } }],
    [{ auth: oauth2 }],
  ])('what is shown can be sent back, and nothing changes: %j', (settings) => {
    const config = present(settings);
    const shown = hideSecrets(config);
    expect(JSON.stringify(shown)).not.toMatch(/abc|whsec_/);
    const { config: completed, generatedSecret } = completeWebhook(declare(shown), config);
    expect([completed, generatedSecret]).toEqual([config, undefined]);
  });

  test('are kept when they are left out, and changed when they are given', () => {
    const config = present({ auth: oauth2 });
    const { clientSecret: _, ...rest } = oauth2;
    expect(completeWebhook(declare({ auth: rest }), config).config).toMatchObject({ secret, auth: oauth2 });
    const changed = completeWebhook(declare({ auth: { ...rest, clientSecret: 'new' } }), config).config;
    expect(changed).toMatchObject({ auth: { clientSecret: 'new' } });
    expect(completeWebhook(declare({}), config).config).not.toHaveProperty('auth');
  });

  test('are not kept for another host, where they could be read', () => {
    const { clientSecret: _, ...rest } = oauth2;
    for (const [config, settings] of [
      [{ auth: { type: 'bearer', token: 'abc' } }, { url: 'https://evil.example/', auth: { type: 'bearer' } }],
      [{ auth: { type: 'bearer', token: 'abc' } }, { url: 'http://crm.example.com/', auth: { type: 'bearer' } }],
      [{ headers: { 'x-key': 'abc' } }, { url: 'https://evil.example/', headers: { 'x-key': HIDDEN } }],
      [{ auth: oauth2 }, { auth: { ...rest, tokenUrl: 'https://evil.example/token' } }],
      [{ auth: oauth2 }, { url: 'https://evil.example/', auth: rest }],
    ]) {
      expect(() => completeWebhook(declare(settings as object), present(config as object))).toThrow(MissingSecretError);
    }
    // Another path is no other host; a secret that is given may go where it is told.
    const config = present({ auth: { type: 'bearer', token: 'abc' } });
    const moved = { url: 'https://crm.example.com/2', auth: { type: 'bearer' } };
    expect(completeWebhook(declare(moved), config).config).toMatchObject({ auth: { token: 'abc' } });
  });

  test('of one sort say nothing about another', () => {
    const config = present({ auth: { type: 'bearer', token: 'abc' } });
    const basic = { auth: { type: 'basic', username: 'a' } };
    expect(() => completeWebhook(declare(basic), config)).toThrow(MissingSecretError);
  });
});
