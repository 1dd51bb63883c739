/*
 * How many jobs a queue is asked for at once. Each take that finds nothing costs Redis a script, so a queue that may
 * hold a single job is asked for one. While every take of a batch brings a job, the next batch is as large as the last
 * two together: 1, 1, 2, 3, 5, 8, 13, 16. This grows more slowly than doubling, so a short queue costs few empty takes,
 * and a long one is soon emptied sixteen at a time. The first empty take starts over.
 */

export interface Batch {
  readonly size: number;
  readonly lastSize: number;
}

const LARGEST_BATCH = 16;

export const FIRST_BATCH: Batch = { size: 1, lastSize: 0 };

/** The batch after one that came back full. */
export const growBatch = ({ size, lastSize }: Batch): Batch => ({
  size: Math.min(size + lastSize, LARGEST_BATCH),
  lastSize: size,
});
