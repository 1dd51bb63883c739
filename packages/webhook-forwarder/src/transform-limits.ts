/** The limits of one evaluation of a transform. */
export const LIMITS = {
  /** Processor time, in ms, so that a busy machine makes no transform too slow. */
  cpuMs: 250,
  /** Wall-clock time, in ms, in case the process is stopped or starved altogether. */
  wallMs: 10_000,
  /** Size of the result, as JSON in UTF-8. */
  outputBytes: 4 * 1024 * 1024,
  /** Memory for everything it makes on the way, in MB. */
  memoryMb: 256,
} as const;

/** The signal with which the process ends itself when an evaluation has used up its time. */
export const TOO_SLOW = 'SIGALRM';

export interface TransformRequest {
  readonly expression: string;
  /** JSON. */
  readonly input: string;
}

/** The result. An error is only its code and its place: its message may quote the event. */
export type TransformResult =
  | { readonly output: string }
  | { readonly failed: 'error'; readonly code: string; readonly position?: number; readonly token?: string }
  | { readonly failed: 'nothing' }
  | { readonly failed: 'output' };

/** The result, and the processor time that it took. */
export type TransformReply = TransformResult & { readonly usedMs: number };
