/**
 * What the query of a URL carries besides a credential, as it was written; empty when that is nothing. Older pages of
 * Clickatell send statuses so: `?messageId=…&status=DELIVERED`.
 */
export const queryData = (url: string): string => {
  const begin = url.indexOf('?');
  if (begin === -1) return '';
  return url
    .slice(begin + 1)
    .split('&')
    .filter((part) => part !== '' && !isToken(part))
    .join('&');
};

/** Left out whether or not `CALLBACK_AUTH` has a query secret: it may be one of yesterday. */
const isToken = (part: string): boolean => new URLSearchParams(part).has('token');
