/** What one evaluation of a transform may use. */
export const LIMITS = {
  /** Processor time, in ms: a machine that is busy elsewhere makes no transform too slow. */
  cpuMs: 250,
  /** By the clock, in ms, in case the process is stopped or starved altogether. */
  wallMs: 10_000,
  /** Of what it gives, as JSON in UTF-8. */
  outputBytes: 4 * 1024 * 1024,
  /** Of what it makes on its way, in MB. */
  memoryMb: 256,
} as const;

/** What the process ends itself with when an evaluation has used up its time. */
export const TOO_SLOW = 'SIGALRM';

export interface TransformRequest {
  readonly expression: string;
  /** JSON. */
  readonly input: string;
}

/** What came of it. Of an error only its code and its place: its message may quote the event. */
export type TransformReply =
  | { readonly output: string }
  | { readonly failed: 'error'; readonly code: string; readonly position?: number; readonly token?: string }
  | { readonly failed: 'nothing' }
  | { readonly failed: 'output' };
