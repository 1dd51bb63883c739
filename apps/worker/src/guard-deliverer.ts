import { type Deliverer, DeliveryError, MAX_RESPONSE_BYTES } from '@clickrelay/core';

/**
 * An attempt of an adapter that is not ours counts as failed after this, in ms: it holds a turn, and maybe a group of
 * callbacks.
 */
const LONGEST_ATTEMPT_MS = 60_000;
const LONGEST_CLOSE_MS = 5_000;

/** Holds an adapter that is not ours to its contract: its mistakes are failed attempts, which end in dead letters. */
export const guardDeliverer = (
  type: string,
  deliverer: Deliverer,
  { longestAttemptMs = LONGEST_ATTEMPT_MS }: { longestAttemptMs?: number } = {},
): Deliverer => ({
  deliver: async (attempt) => {
    const late = new DeliveryError('destination_timeout', `the adapter ${type} did not end its attempt in time`, {
      retryable: true,
    });
    try {
      const receipt = await within(longestAttemptMs, late, deliverer.deliver(attempt));
      const { status, response } = receipt ?? {};
      return {
        status: typeof status === 'number' ? status : null,
        response: typeof response === 'string' ? response.slice(0, MAX_RESPONSE_BYTES) : '',
      };
    } catch (error) {
      if (attempt.signal.aborted) {
        throw new DeliveryError('delivery_aborted', `delivery by ${type} was stopped half-way`, { retryable: true });
      }
      // An adapter that says this while we do not stop would be tried again at once, forever.
      if (error instanceof DeliveryError && error.code !== 'delivery_aborted') throw error;
      const name = error instanceof Error ? error.name : 'value that is no error';
      throw new DeliveryError('destination_refused', `the adapter ${type} threw a ${name}`, {
        retryable: true,
        cause: error,
      });
    }
  },
  close: () => within(LONGEST_CLOSE_MS, new Error(`the adapter ${type} did not close in time`), deliverer.close()),
});

const within = async <T>(ms: number, late: Error, promise: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late), ms);
  });
  return Promise.race([promise, tooLate]).finally(() => clearTimeout(timer));
};
