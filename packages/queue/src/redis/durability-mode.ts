/**
 * What an acknowledged callback must survive.
 * - `always`: a crash and a power cut (fsync before every answer).
 * - `everysec`: a crash; up to about a second of callbacks is lost with the power, more when the disk is slow.
 * - `replicated`: as `always`, and the loss of the primary: a replica has it before every answer.
 * - `unsafe`: nothing is asked of the server.
 */
export type DurabilityMode = 'always' | 'everysec' | 'replicated' | 'unsafe';
