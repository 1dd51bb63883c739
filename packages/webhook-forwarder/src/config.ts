import { FORMATS } from '@clickrelay/core';
import { z } from 'zod';
import { MOST_SECRETS } from './rotate.ts';
import { checkSecret, generateSecret } from './secret.ts';
import { checkTransform } from './transform-check.ts';

const MAX_URL_LENGTH = 2048;

/**
 * Why a destination may not have this URL, or undefined when it may. Looks at the text only: whether the address may be
 * called is decided when connecting, because a name may resolve to another address by then.
 */
export function checkUrl(text: string): string | undefined {
  if (text.length > MAX_URL_LENGTH) {
    return `url must have at most ${MAX_URL_LENGTH} characters, got ${text.length}`;
  }
  // The URL parser drops tabs and line breaks and reads `\` as `/`: what is shown would not be what is called.
  if (/[\s\\\p{Cc}]/u.test(text)) return 'url must hold no white space, control character or backslash';
  if (!URL.canParse(text)) return 'url must be an absolute URL such as https://crm.example.com/clickatell';
  const { protocol } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:') {
    return `url must start with https:// (or http:// for addresses that EGRESS_ALLOW opens), got ${protocol}`;
  }
  if (/^[a-z]+:\/*[^/?#]*@/i.test(text)) {
    return 'url must hold no user name or password; a destination knows us by the signature (`secret`)';
  }
  if (text.includes('#')) return 'url must have no fragment (#…); fragments are never sent';
  return undefined;
}

// No `input` in the issue: neither a secret nor the query of a URL may come back in an error.
const issue = (message: string) => ({ code: 'custom', message, input: undefined }) as const;

const secretText = z.string();
const endingSecret = z.strictObject({
  secret: secretText,
  until: z.iso.datetime({ offset: true }).describe('It signs until then, and no longer.'),
});

/** The settings of one webhook destination, each for itself. */
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
  secret: z
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
      const live = [context.value].flat();
      for (const one of live) {
        const refusal = checkSecret(typeof one === 'string' ? one : one.secret);
        if (refusal !== undefined) context.issues.push(issue(refusal));
      }
      if (live.length > 0 && live.every((one) => typeof one !== 'string')) {
        context.issues.push(issue('secret must hold one without `until`: nothing would be signed when all have ended'));
      }
    })
    .default(() => generateSecret())
    // Without this the JSON Schema shows one generated secret as everybody's default.
    .meta({ default: undefined })
    .describe(
      'Standard Webhooks secret: whsec_… (HMAC) or whsk_… (Ed25519), or all live ones while it is being changed. Default: generated.',
    ),
  format: z
    .enum(FORMATS)
    .default('event')
    .describe('What the body is: our event, the original envelope with one element, or a CloudEvent.'),
  transform: z
    .string()
    .check((context) => {
      const refusal = checkTransform(context.value);
      if (refusal !== undefined) context.issues.push(issue(refusal));
    })
    .exactOptional()
    .describe(
      'An expression (JSONata) over the event: what it gives is sent instead, as body or as data of the CloudEvent.',
    ),
  timeoutMs: z
    .int()
    .min(100)
    .max(30_000)
    .default(15_000)
    .describe('Total time of one attempt in ms, from resolving the name to the status line of the answer.'),
  concurrency: z
    .int()
    .min(1)
    .max(1024)
    .default(32)
    .describe('How many connections may be open to the destination at once.'),
});

/** Refuses settings that are right each for itself and exclude each other. */
export function together({
  value,
  issues,
}: z.core.ParsePayload<Pick<z.output<typeof webhookSettings>, 'format' | 'transform'>>): void {
  if (value.format === 'clickatell' && value.transform !== undefined) {
    const message = 'transform and the format clickatell exclude each other: an envelope holds what Clickatell sent';
    issues.push({ ...issue(message), path: ['transform'] });
  }
}

/** The settings of one webhook destination. */
export const webhookConfig = webhookSettings.check(together);

export type WebhookConfig = z.output<typeof webhookConfig>;
