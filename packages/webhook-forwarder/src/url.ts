const MAX_URL_LENGTH = 2048;

/**
 * Says why a destination may not have this URL, or undefined when it may. Checks the text only: whether the address may
 * be called is decided when connecting, because the name may resolve to another address by then.
 */
export const checkUrl = (text: string): string | undefined => {
  if (text.length > MAX_URL_LENGTH) {
    return `url must have at most ${MAX_URL_LENGTH} characters, got ${text.length}`;
  }
  // The URL parser drops tabs and line breaks and reads `\` as `/`, so the URL shown would differ from the one called.
  if (/[\s\\\p{Cc}]/u.test(text)) return 'url must hold no white space, control character or backslash';
  if (!URL.canParse(text)) return 'url must be an absolute URL such as https://crm.example.com/clickatell';
  const { protocol } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:') {
    return `url must start with https:// (or http:// for addresses that EGRESS_ALLOW opens), got ${protocol}`;
  }
  if (/^[a-z]+:\/*[^/?#]*@/i.test(text)) {
    return 'url must hold no user name or password; a destination knows us by the signature (`secret`)';
  }
  if (text.includes('#')) return 'url must have no fragment (#…); fragments are never sent';
  return undefined;
};
