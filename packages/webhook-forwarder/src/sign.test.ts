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
