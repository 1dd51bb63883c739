/** Finds the groups of files that all reach each other by imports. */
export const findCircles = (imports: ReadonlyMap<string, readonly string[]>): string[][] => {
  const index = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const circles: string[][] = [];

  // https://en.wikipedia.org/wiki/Tarjan%27s_strongly_connected_components_algorithm
  const visit = (file: string): number => {
    const own = index.size;
    index.set(file, own);
    let low = own;
    const depth = path.push(file) - 1;
    for (const next of imports.get(file) ?? []) {
      if (!index.has(next)) low = Math.min(low, visit(next));
      else if (path.includes(next)) low = Math.min(low, index.get(next) as number);
    }
    lowest.set(file, low);
    if (low === own) {
      const group = path.splice(depth);
      if (group.length > 1 || imports.get(file)?.includes(file)) circles.push(group.sort());
    }
    return low;
  };
  for (const file of imports.keys()) if (!index.has(file)) visit(file);
  return circles;
};
