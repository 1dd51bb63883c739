import type { IRun } from 'n8n-workflow';
import type { Ending } from './run-delivery.ts';

const FAILED: readonly string[] = ['error', 'crashed', 'canceled'];

/** Why n8n cancels a run without anybody having asked for it. */
const NOT_BY_A_PERSON: readonly unknown[] = ['timeout', 'shutdown'];

/**
 * Reads how a run ended. In queue mode the run comes back without its data, with status and error only. A run that
 * waits (Wait node) counts as done, because n8n keeps it.
 *
 * @param run undefined when n8n started nothing
 */
export const endingOf = (run: IRun | undefined): Ending => {
  if (run === undefined) return { ok: false, error: 'n8n did not start the workflow' };
  const error = run.data?.resultData?.error;
  const { reason } = (error ?? {}) as { reason?: unknown };
  if (run.status === 'canceled' && !NOT_BY_A_PERSON.includes(reason)) {
    return { ok: false, error: 'somebody stopped the workflow', final: true };
  }
  if (error) {
    const { lastNodeExecuted } = run.data.resultData;
    const where = lastNodeExecuted ? ` in "${lastNodeExecuted}"` : '';
    return { ok: false, error: `the workflow failed${where}: ${error.message}` };
  }
  return FAILED.includes(run.status) ? { ok: false, error: `the workflow ended as ${run.status}` } : { ok: true };
};
