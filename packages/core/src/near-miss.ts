/** From this length on, two slips may be made in a word; in a shorter one, one. */
const LONG = 8;

/**
 * The known word that a text was probably meant to be: it differs in case only, or by one or two letters that are
 * missing, too many, wrong or swapped. Undefined for a known word, and for one that is like none.
 *
 * @param options.shortest Shorter texts are near none: `mms` is no misspelt `sms`.
 */
export const nearMiss = (
  text: string,
  known: readonly string[],
  { shortest = 5 }: { readonly shortest?: number } = {},
): string | undefined => {
  if (text.length < shortest || known.includes(text)) return undefined;
  let nearest: string | undefined;
  let fewest = text.length < LONG ? 1 : 2;
  for (const word of known) {
    if (Math.abs(word.length - text.length) > fewest) continue;
    const slips = slipsBetween(text.toLowerCase(), word.toLowerCase());
    if (slips > fewest) continue;
    nearest = word;
    fewest = slips - 1;
  }
  return nearest;
};

/** The optimal string alignment distance. */
const slipsBetween = (a: string, b: string): number => {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min((last[j] as number) + 1, (row[j - 1] as number) + 1, (last[j - 1] as number) + same);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) row[j] = Math.min(row[j] as number, (beforeLast[j - 2] as number) + 1);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] as number;
};
