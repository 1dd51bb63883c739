import { testAdapter } from '@clickrelay/adapter-contract';
import { describe, it } from 'vitest';
import { webhookConfig } from './config.ts';
import { webhookAdapter } from './deliver.ts';

const adapter = webhookAdapter({ egressAllow: ['127.0.0.1/32'], userAgent: 'Clickrelay/1.2.3' });

describe('the webhook adapter', () => {
  testAdapter(it, { open: (url) => adapter.open(webhookConfig.parse({ url, timeoutMs: 1_000 })) });
});
