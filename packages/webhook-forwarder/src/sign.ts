import { Webhook } from 'standardwebhooks';

type Signer = (id: string, sentAt: Date, body: string) => Record<string, string>;

/**
 * Makes the Standard Webhooks headers of a body. With several secrets there is one signature for each, so that a
 * destination verifies with its old key or its new one while the secret is being changed.
 */
export function createSigner(secrets: string | readonly string[]): Signer {
  const keys = [secrets].flat().map((secret) => new Webhook(secret));
  return (id, sentAt, body) => ({
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1000)),
    'webhook-signature': keys.map((key) => key.sign(id, sentAt, body)).join(' '),
  });
}
