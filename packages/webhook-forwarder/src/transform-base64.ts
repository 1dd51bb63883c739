/* JSONata's own functions cut each character to one byte in silence. */

/** @param text undefined when there is none, as for every function of JSONata */
export const encodeBase64 = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : Buffer.from(text, 'utf8').toString('base64');

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws an error with the code `BASE64` for what is no base64, or no text */
export const decodeBase64 = (text: string | undefined): string | undefined => {
  if (text === undefined) return undefined;
  try {
    return utf8.decode(Buffer.from(atob(text), 'latin1'));
  } catch {
    throw Object.assign(new Error('not UTF-8 in base64'), { code: 'BASE64' });
  }
};
