/** The same page with other parts of its query; undefined takes one away. */
export const withQuery = (
  path: string,
  query: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | undefined>>,
): string => {
  const all = Object.entries({ ...query, ...changes }).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(all as [string, string][]).toString();
  return text === '' ? path : `${path}?${text}`;
};
