/** A phone number as people and systems write it. */
const NUMBER = /^\+?[\d\s()./-]+$/;
/** `00` in front of fewer digits is part of a short code, not the way out of a country. */
const SHORTEST_ABROAD = 9;

/**
 * One spelling of who sent or got a message: a number has digits only, whether it was written with `+`, `00` or spaces.
 * Anything else, such as a WhatsApp user id or the name of a sender, stays as it is: its digits alone may be those of
 * another person.
 */
export const personOf = (text: string): string => {
  const trimmed = text.trim();
  if (!NUMBER.test(trimmed)) return trimmed;
  const digits = trimmed.replaceAll(/\D/g, '');
  return digits.length >= SHORTEST_ABROAD ? digits.replace(/^00/, '') : digits;
};
