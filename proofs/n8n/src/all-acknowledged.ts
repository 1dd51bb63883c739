import { waitUntil } from '@clickrelay/testkit';
import type { Workflow } from './n8n-client.ts';
import type { Rig } from './rig.ts';

/**
 * Waits until every event is acknowledged: what is not is held for the trigger, and comes again when its lease ends.
 */
export const allAcknowledged = async ({ relay }: Rig, { id: workflowId }: Workflow): Promise<void> => {
  // As the trigger names it.
  const part = `-${workflowId.toLowerCase()}-`;
  await waitUntil(
    async () => {
      const { destinations } = await relay.cli<{ destinations: Depths[] }>('status');
      const [ours] = destinations.filter(({ id }) => id.startsWith('n8n-') && id.includes(part));
      return ours !== undefined && ours.waiting + ours.delayed + ours.active + ours.deadLetters === 0;
    },
    { timeoutMs: 120_000, everyMs: 500, what: 'every event to be acknowledged' },
  );
};

/** What a destination still has to do, as `clickrelay status` tells it. */
interface Depths {
  id: string;
  waiting: number;
  delayed: number;
  active: number;
  deadLetters: number;
}
