export { together, type WebhookConfig, webhookConfig } from './config.ts';
export {
  completeWebhook,
  HIDDEN,
  hideSecrets,
  MissingSecretError,
  type WebhookDestination,
  webhookDestination,
} from './declare.ts';
export { type WebhookAdapterOptions, webhookAdapter } from './deliver.ts';
export { parseRanges, type Range, type Resolve } from './egress.ts';
export { type RotatedSecrets, rotateSecrets } from './rotate.ts';
export { generateSecret, type LiveSecret } from './secret.ts';
export { type OneAnswer, type OneRequest, sendOne } from './send-one.ts';
export { checkUrl } from './url.ts';
export { warningsOfUrl } from './warn.ts';
