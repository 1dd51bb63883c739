import type { Verdict } from '@clickrelay/health';
import { sendOne } from '@clickrelay/webhook-forwarder';

const EVERY_MS = 60_000;
const TIMEOUT_MS = 10_000;

export interface HeartbeatOptions {
  readonly url: string;
  readonly userAgent: string;
  readonly egressAllow: readonly string[];
  readonly signal: AbortSignal;
  /** @param code the answer's status, or the code of the error */
  onFailed(code: string): void;
}

/**
 * Calls a service that waits for it, at most once a minute, each time something was judged: when the calls stop,
 * Clickrelay judges no more. Nothing else tells that.
 */
export const openHeartbeat = ({ url, userAgent, egressAllow, signal, onFailed }: HeartbeatOptions) => {
  let lastMs = Number.NEGATIVE_INFINITY;
  return async ({ checkedAt }: Pick<Verdict, 'checkedAt'>): Promise<void> => {
    const nowMs = Date.parse(checkedAt);
    if (nowMs - lastMs < EVERY_MS) return;
    lastMs = nowMs;
    const headers = { 'user-agent': userAgent };
    const request = { url, method: 'GET', headers, body: '', egressAllow, timeoutMs: TIMEOUT_MS, signal } as const;
    const answer = await sendOne(request);
    if (signal.aborted) return;
    if (answer.status === null) onFailed(answer.code);
    else if (answer.status < 200 || answer.status > 299) onFailed(String(answer.status));
  };
};
