/** How fast something grows is told of so many ms. */
export const GROWTH_MS = 600_000;
/** How often it is noted. */
const NOTE_MS = 10_000;

export interface Growth {
  /** @returns by how many bytes a minute it grew of late; null before that can be told */
  perMinute(bytes: number, nowMs: number): number | null;
}

/** Remembers how much there was. What is asked about must be looked at often, or a rate is known late. */
export const watchGrowth = (): Growth => {
  let seen: { readonly at: number; readonly bytes: number }[] = [];
  return {
    perMinute: (bytes, nowMs) => {
      const isDue = nowMs - (seen.at(-1)?.at ?? Number.NEGATIVE_INFINITY) >= NOTE_MS;
      if (isDue) seen.push({ at: nowMs, bytes });
      // The last one before the span begins stays: the rate is that of the whole span.
      const begins = seen.findLastIndex(({ at }) => nowMs - at >= GROWTH_MS);
      if (begins > 0) seen = seen.slice(begins);
      const [first] = seen;
      if (first === undefined || begins === -1) return null;
      return Math.round(((bytes - first.bytes) * 60_000) / (nowMs - first.at));
    },
  };
};
