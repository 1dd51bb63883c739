import { ApiError } from '@clickrelay/client';

/** What the API refused, and why, in its own words. */
export const wordsOf = (error: unknown): string => {
  const { message } = error as Error;
  if (!(error instanceof ApiError) || error.issues.length === 0) return sentence(message);
  return sentence(`${message}: ${error.issues.map(({ path, message: why }) => `${path} ${why}`).join('; ')}`);
};

/** The API's sentences begin in lower case, because a log continues them. @param id one that it begins with stays as it is */
export const sentence = (text: string, id?: string | null): string =>
  id != null && text.startsWith(id) ? text : text.charAt(0).toUpperCase() + text.slice(1);
