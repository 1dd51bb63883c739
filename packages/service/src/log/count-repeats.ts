/** The same again within this time is counted. */
const SPAN_MS = 60_000;
/** Kinds of lines that are counted at once: what is always different is written as it comes. */
const MOST_KINDS = 100;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Writes a line the first time, and counts it when it comes again: a minute later one line says how many times, and so
 * on until it no longer comes. Where a call broke (`frames`) makes no other line of it.
 */
export const countRepeats = (write: (fields: Fields) => void, spanMs = SPAN_MS): ((fields: Fields) => void) => {
  const counts = new Map<string, number>();
  return (fields) => {
    const { frames: _, ...same } = fields;
    const kind = JSON.stringify(same);
    const count = counts.get(kind);
    if (count !== undefined) {
      counts.set(kind, count + 1);
      return;
    }
    write(fields);
    if (counts.size === MOST_KINDS) return;
    counts.set(kind, 0);
    const look = (): void => {
      const times = counts.get(kind) ?? 0;
      if (times === 0) {
        counts.delete(kind);
        return;
      }
      write({ ...fields, times });
      counts.set(kind, 0);
      setTimeout(look, spanMs).unref();
    };
    setTimeout(look, spanMs).unref();
  };
};
