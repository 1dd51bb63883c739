import type { Alert } from '../alert.ts';

/** `clickrelay.destination.failing`: the code without its kind where it begins with it. */
const typeOf = ({ what, code, subject: { kind } }: Alert): string => {
  if (what === 'test') return 'clickrelay.test';
  const name = code.startsWith(`${kind}_`) ? code.slice(kind.length + 1) : code;
  return `clickrelay.${kind}.${name}${what === 'resolved' ? '.resolved' : ''}`;
};

/** As Standard Webhooks has it: a hierarchical type, a time, and the data. */
export const webhookBody = (alert: Alert): string => {
  const { what, at, code, severity, subject, since, count, sentence, mend } = alert;
  const { command, link } = mend;
  const data = { what, code, severity, subject, since, count, sentence, mend: { command, link } };
  return JSON.stringify({ type: typeOf(alert), timestamp: at, data });
};
