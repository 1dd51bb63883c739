import { InvalidCallbackError, type Issue, type Lane, parseCallback } from '@clickrelay/core';
import { answerJobs } from '@clickrelay/service/thread';

export interface ParseJob {
  /** In shared memory. */
  readonly body: Uint8Array;
}

/** What the receiver needs to know of a callback; its text is not copied. */
export type Parsed =
  | {
      /** Where the text begins, behind a byte order mark. */
      readonly start: number;
      readonly integrationId: string | null;
      readonly eventCount: number;
      readonly lane: Lane;
    }
  | { readonly refused: string; readonly issues: readonly Issue[] | undefined };

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

// Parses large bodies off the thread that answers all requests.
answerJobs(({ body }: ParseJob): { result: Parsed } => {
  try {
    const { integrationId, eventCount, lane } = parseCallback(body);
    const start = BYTE_ORDER_MARK.equals(body.subarray(0, BYTE_ORDER_MARK.length)) ? BYTE_ORDER_MARK.length : 0;
    return { result: { start, integrationId, eventCount, lane } };
  } catch (error) {
    if (!(error instanceof InvalidCallbackError)) throw error;
    return { result: { refused: error.message, issues: error.issues } };
  }
});
