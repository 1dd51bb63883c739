import { createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { generateSecret, readSecret } from './secret.ts';
import { createSigner, encodeLarge } from './sign.ts';

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

test.each(['', 'x'.repeat(524_288), 'é😀'.repeat(700_000), `x${'😀'.repeat(700_000)}`, '\ud800'.repeat(600_000)])(
  'a large body is written and signed bit by bit, to the same end',
  async (text) => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const { d } = privateKey.export({ format: 'jwk' });
    const own = `whsk_${Buffer.from(d as string, 'base64url').toString('base64')}`;
    const sign = createSigner([generateSecret(), own, { secret: generateSecret(), until: '2020-01-01T00:00:00Z' }]);
    const at = new Date();
    const bytes = await encodeLarge(text);
    expect(bytes.equals(Buffer.from(text))).toBe(true);
    expect(await sign.large('evt_1', at, bytes)).toEqual(sign('evt_1', at, text));
  },
);

test('a secret signs until its end and not longer', () => {
  const [present, former] = [generateSecret(), generateSecret()];
  const end = Date.now() + 60_000;
  const sign = createSigner([present, { secret: former, until: new Date(end).toISOString() }]);
  const before = sign('evt_1', new Date(end - 1), body);
  const after = sign('evt_1', new Date(end), body);
  for (const key of [present, former]) new Webhook(key).verify(body, before);
  new Webhook(present).verify(body, after);
  expect(() => new Webhook(former).verify(body, after)).toThrow('No matching signature found');
});

test('with a private key of Ed25519, the public key verifies', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { d, x } = privateKey.export({ format: 'jwk' });
  const halves = [Buffer.from(d as string, 'base64url'), Buffer.from(x as string, 'base64url')];
  const shared = generateSecret();
  for (const bytes of [halves[0] as Buffer, Buffer.concat(halves)]) {
    const sign = createSigner([shared, `whsk_${bytes.toString('base64')}`]);
    const headers = sign('evt_1', new Date(), body);
    const [ours = '', theirs = ''] = headers['webhook-signature']?.split(' ') ?? [];
    expect([ours.slice(0, 3), theirs.slice(0, 4)]).toEqual(['v1,', 'v1a,']);
    const signed = Buffer.from(`evt_1.${headers['webhook-timestamp']}.${body}`);
    expect(verify(null, signed, publicKey, Buffer.from(theirs.slice(4), 'base64'))).toBe(true);
    // A destination that knows the shared secret only is not disturbed by the other signature.
    expect(new Webhook(shared).verify(body, headers)).toEqual(JSON.parse(body));
  }
});

// RFC 8032, section 7.1, test 2.
test('a seed gives the key that the RFC says', () => {
  const signing = readSecret(
    `whsk_${Buffer.from('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', 'hex').toString('base64')}`,
  );
  const { x } = createPublicKey(signing.key).export({ format: 'jwk' });
  expect(Buffer.from(x as string, 'base64url').toString('hex')).toBe(
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  );
});
