export { checkUrl, generateSecret, type WebhookConfig, webhookConfig } from './config.ts';
export { type WebhookAdapterOptions, webhookAdapter } from './deliver.ts';
export type { Resolve } from './egress.ts';
