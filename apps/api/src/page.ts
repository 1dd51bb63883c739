/**
 * Pages through a list that is short enough to be read whole. The cursor is the place of the last item, so that items
 * added or removed meanwhile shift nothing.
 * @param items in the order of their places
 * @param placeOf orders the items as text; no two have the same
 */
export const pageThrough = <Item>(
  items: readonly Item[],
  placeOf: (item: Item) => string,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): { items: readonly Item[]; next: string | null } => {
  const further = cursor === undefined ? items : items.filter((item) => placeOf(item) > cursor);
  const page = further.slice(0, limit);
  const last = page.at(-1);
  return { items: page, next: further.length > limit && last !== undefined ? placeOf(last) : null };
};
