import { readFileSync } from 'node:fs';

/** Clickatell's own two sample requests, as bytes. */
export const reply = readFileSync(new URL('./samples/one-api-reply.json', import.meta.url));
export const status = readFileSync(new URL('./samples/one-api-status.json', import.meta.url));

interface Sample {
  integrationId: string;
  integrationName: string;
  event: Record<string, Record<string, unknown>[]>;
}

export const replyEnvelope: Sample = JSON.parse(reply.toString());
export const statusEnvelope: Sample = JSON.parse(status.toString());

/** The first sample element of a type. */
export const sampleElement = (type: string): Record<string, unknown> => {
  const element = { ...replyEnvelope.event, ...statusEnvelope.event }[type]?.[0];
  if (element === undefined) throw new Error(`no sample of ${type}`);
  return structuredClone(element);
};
