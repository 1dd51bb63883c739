import { FORMATS, type Format } from '@clickrelay/core';
import { z } from 'zod';
import { auth } from './auth.ts';
import { headers } from './headers.ts';
import { proxy } from './proxy.ts';
import { MOST_SECRETS } from './rotate.ts';
import { checkSecret, generateSecret } from './secret.ts';
import { successWhen } from './success.ts';
import { tls } from './tls.ts';
import { checkTransform } from './transform-check.ts';
import { checkUrl } from './url.ts';

// The issue has no `input`, so that neither a secret nor the query of a URL comes back in an error.
const issue = (message: string) => ({ code: 'custom', message, input: undefined }) as const;

const secretText = z.string();
const endingSecret = z.strictObject({
  secret: secretText,
  until: z.iso.datetime({ offset: true }).describe('It signs until then.'),
});

export const SECRET_DESCRIPTION =
  'Standard Webhooks secret: whsec_… (HMAC) or whsk_… (Ed25519), or a list of all live ones during a rotation. Default: generated.';

/** @param besides one more text to accept */
export const secretSetting = (besides?: string) =>
  z
    .union(
      [
        secretText,
        z
          .array(z.union([secretText, endingSecret]))
          .min(1)
          .max(MOST_SECRETS),
      ],
      'secret must be one whsec_… or whsk_…, or a list of them',
    )
    .check((context) => {
      if (context.value === besides) return;
      const live = [context.value].flat();
      for (const one of live) {
        const refusal = checkSecret(typeof one === 'string' ? one : one.secret);
        if (refusal !== undefined) context.issues.push(issue(refusal));
      }
      if (live.length > 0 && live.every((one) => typeof one !== 'string')) {
        context.issues.push(issue('secret must hold one without `until`: nothing would be signed when all have ended'));
      }
    });

/** The settings of one webhook destination, each checked on its own. */
export const webhookSettings = z.object({
  url: z
    .string()
    .check((context) => {
      const refusal = checkUrl(context.value);
      if (refusal !== undefined) context.issues.push(issue(refusal));
    })
    .describe(
      'Where events are POSTed: https, or http for addresses that EGRESS_ALLOW opens; no user name, no fragment.',
    ),
  secret: secretSetting()
    .default(() => generateSecret())
    // Without this, the JSON Schema shows one generated secret as everyone's default.
    .meta({ default: undefined })
    .describe(SECRET_DESCRIPTION),
  format: z
    .enum(FORMATS)
    .default('event')
    .describe('The body: our event, the original envelope with one element, or a CloudEvent.'),
  transform: z
    .string()
    .check((context) => {
      const refusal = checkTransform(context.value);
      if (refusal !== undefined) context.issues.push(issue(refusal));
    })
    .exactOptional()
    .describe(
      'A JSONata expression over the event; its result is sent instead, as the body or as the data of the CloudEvent.',
    ),
  headers: headers.exactOptional().describe('Extra headers of each delivery, such as an API key.'),
  auth: auth
    .exactOptional()
    .describe('How the destination recognizes us, beside the signature: bearer, basic or oauth2.'),
  tls: tls
    .exactOptional()
    .describe('A client certificate, and authorities to trust, for connections to `url`, which must be https.'),
  proxy: proxy.exactOptional().describe('An HTTP proxy that all connections of this destination go through (CONNECT).'),
  successWhen: successWhen
    .exactOptional()
    .describe('What the first 16 KB of the body of a 2xx answer must say for the delivery to count as delivered.'),
  timeoutMs: z
    .int()
    .min(100)
    .max(30_000)
    .default(15_000)
    .describe('Time limit of one attempt in ms, from resolving the name to the status line of the answer.'),
  concurrency: z
    .int()
    .min(1)
    .max(1024)
    .default(32)
    .describe('How many connections may be open to the destination at once.'),
});

/** The settings that `together` checks. */
interface Combined {
  readonly format: Format;
  readonly transform?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly auth?: object;
  readonly tls?: object;
  readonly url: string;
}

/** Refuses settings that are valid on their own but exclude each other. */
export const together = ({ value, issues }: z.core.ParsePayload<Combined>): void => {
  if (value.format === 'clickatell' && value.transform !== undefined) {
    const message = 'transform and the format clickatell exclude each other: an envelope holds what Clickatell sent';
    issues.push({ ...issue(message), path: ['transform'] });
  }
  if (value.auth !== undefined && value.headers?.['authorization'] !== undefined) {
    issues.push({ ...issue('headers must hold no authorization when there is auth'), path: ['headers'] });
  }
  if (value.tls !== undefined && !/^https:/i.test(value.url)) {
    issues.push({ ...issue('tls needs a url that starts with https://'), path: ['tls'] });
  }
};

/** The settings of one webhook destination. */
export const webhookConfig = webhookSettings.check(together);

export type WebhookConfig = z.output<typeof webhookConfig>;
