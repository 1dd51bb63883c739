import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { generateSecret } from './config.ts';
import { createSigner } from './sign.ts';

const body = '{"text":"Grüße 🎉"}';

test('the signature is the one that the Standard Webhooks specification shows', () => {
  const sign = createSigner('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  expect(sign('msg_p5jXN8AQM9LWM0D4loKWxJek', new Date(1614265330_999), '{"test": 2432232314}')).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('while a secret is being changed, a receiver with the old key and one with the new key both verify', () => {
  const [old, renewed, stranger] = [generateSecret(), generateSecret(), generateSecret()];
  const headers = createSigner([old, renewed])('evt_1', new Date(), body);
  expect(new Webhook(old).verify(body, headers)).toEqual(JSON.parse(body));
  expect(new Webhook(renewed).verify(body, headers)).toEqual(JSON.parse(body));
  expect(() => new Webhook(stranger).verify(body, headers)).toThrow('No matching signature found');
  expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
});

test('a body that was changed on the way does not verify', () => {
  const secret = generateSecret();
  const headers = createSigner(secret)('evt_1', new Date(), body);
  expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow('No matching signature found');
});

test.each([24, 25, 26, 32, 64])('a secret of %i bytes signs as the Standard Webhooks package does', (bytes) => {
  const secret = `whsec_${randomBytes(bytes).toString('base64')}`;
  const at = new Date();
  for (const text of ['', body, '\u0000', '\ud800 is half a character', 'x'.repeat(70_000)]) {
    expect(createSigner(secret)('evt_1', at, text)['webhook-signature']).toBe(
      new Webhook(secret).sign('evt_1', at, text),
    );
  }
});

test('a body of 16 MB is signed in a blink', () => {
  const sign = createSigner([generateSecret(), generateSecret()]);
  const large = 'x'.repeat(16 * 1024 * 1024);
  const startedAt = performance.now();
  sign('evt_1', new Date(), large);
  expect(performance.now() - startedAt).toBeLessThan(500);
});
