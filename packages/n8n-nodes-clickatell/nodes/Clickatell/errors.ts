/** The meaning of one of Clickatell's error codes, and what to do about it. */
interface ErrorText {
  readonly means: string;
  readonly todo: string;
}

/**
 * Error codes of the send API. Sources: docs.clickatell.com, "One API errors table", and status codes that also occur
 * as errors (131).
 */
const ERRORS: Readonly<Record<number, ErrorText>> = {
  1: { means: 'Clickatell does not know this API key', todo: 'Check the API key of the credential.' },
  2: { means: 'The Clickatell account is not active', todo: 'Ask Clickatell to activate it.' },
  3: { means: 'The integration is not active', todo: 'Switch it on in Clickatell’s portal.' },
  7: {
    means: 'Clickatell does not accept requests from this address',
    todo: 'Add the address of n8n to the allowed addresses of the integration in Clickatell’s portal.',
  },
  18: {
    means: 'Clickatell had an internal error',
    todo: 'The message may have been sent; look up its status before you send it again.',
  },
  19: { means: 'Clickatell is busy', todo: 'Try again later.' },
  20: { means: 'The account has no funds left', todo: 'Top up the account in Clickatell’s portal.' },
  21: {
    means: 'Clickatell could not read the request',
    todo: 'If you send raw JSON, check it against Clickatell’s documentation.',
  },
  22: { means: 'Too many messages in one request', todo: 'Send at most 100 at a time.' },
  23: { means: 'A field of the message is wrong', todo: 'The description says which one.' },
  24: {
    means: 'The message is too long or too large',
    todo: 'WhatsApp takes 4,096 characters of text; media have limits by type.',
  },
  25: { means: 'The recipient’s number is wrong', todo: 'Use the international format, digits only: 27999900001.' },
  26: {
    means: 'The recipient has opted out',
    todo: 'Do not try again: nothing will be sent until they opt in. Mark the contact in your own records.',
  },
  27: { means: 'The recipient cannot be reached on this channel', todo: 'Try another channel, for example SMS.' },
  28: {
    means: 'The recipient is not on the sandbox’s list',
    todo: 'Add the number to the sandbox’s test numbers, or go live.',
  },
  30: {
    means: 'Clickatell does not know this media file',
    todo: 'Uploaded files are kept for 30 days: upload it again.',
  },
  31: { means: 'The media file cannot be used', todo: 'Check its type and size.' },
  32: { means: 'The media file cannot be used', todo: 'Check its type and size.' },
  33: { means: 'The media file cannot be used', todo: 'Check its type and size.' },
  38: { means: 'The channel is not active', todo: 'Switch it on for the integration in Clickatell’s portal.' },
  39: { means: 'The channel or feature is not available', todo: 'Ask Clickatell to enable it for this integration.' },
  40: { means: 'The character set cannot be used', todo: 'Leave it out, or use UTF-8.' },
  41: { means: 'Clickatell has nothing at this address', todo: 'Check the base URL of the credential.' },
  42: { means: 'Clickatell does not allow this method here', todo: 'Check the base URL of the credential.' },
  43: {
    means: 'Clickatell’s rate limit is reached',
    todo: 'The node has already retried for a while. Send more slowly, for example with a Loop Over Items node and a Wait node.',
  },
  44: { means: 'The sender number cannot be used', todo: 'Use a From number of this integration, or leave From out.' },
  45: {
    means: 'The sender number is not yours or is suspended',
    todo: 'Use a From number of this integration, or leave From out.',
  },
  46: { means: 'The trial period is over', todo: 'Ask Clickatell to go live.' },
  100: { means: 'The SMS has too many parts', todo: 'Make the text shorter.' },
  101: {
    means: 'This SMS integration has no two-way number',
    todo: 'Add a two-way number in Clickatell’s portal, and set From.',
  },
  110: { means: 'Rules for the US refuse this SMS', todo: 'Set From to a number that is registered for the US.' },
  111: { means: 'Rules for the US refuse this SMS', todo: 'Set From to a number that is registered for the US.' },
  131: {
    means: 'The 24-hour window is closed: the person has not written for more than a day',
    todo: 'Send a template; free text works again once they answer.',
  },
};

/** After it nobody knows what became of the message. */
const INTERNAL_ERROR = 18;

/** A failure of a request, or of one message in it. */
export interface ApiFailure {
  /** Clickatell's error code; null when it gave none. */
  readonly code: number | null;
  /** Clickatell's own words. */
  readonly description: string | null;
  /** Whether the message may have been sent all the same. */
  readonly maybeSent?: boolean;
}

/** Reads the `error` of an answer or of one message: null, a text (older APIs), or code and description. */
export const readFailure = (error: unknown): ApiFailure | null => {
  if (error === null || error === undefined || error === '' || error === false) return null;
  if (typeof error !== 'object') return { code: null, description: String(error) };
  const { code, description, message } = error as { code?: unknown; description?: unknown; message?: unknown };
  const number = Number(code);
  const told = description ?? message;
  const known = code !== null && code !== undefined && Number.isFinite(number) ? number : null;
  return {
    code: known,
    description: typeof told === 'string' && told !== '' ? told : null,
    ...(known === INTERNAL_ERROR && { maybeSent: true }),
  };
};

/** Words a failure as a headline and advice. */
export const explainFailure = ({ code, description }: ApiFailure): { message: string; description: string } => {
  const known = code === null ? undefined : ERRORS[code];
  const number = code === null ? '' : ` (Clickatell error ${code})`;
  const told = description === null ? '' : ` Clickatell says: ${description}`;
  return {
    message: `${known?.means ?? description ?? 'Clickatell refused it without saying why'}${number}`,
    description: `${known?.todo ?? 'Look the code up in Clickatell’s documentation.'}${told}`,
  };
};

/**
 * Whether nothing was sent and trying again helps: the rate limit, and "busy". After error 18 or a time-out the message
 * may have been sent.
 */
export const isSafeToRetry = (failure: ApiFailure | null): boolean => failure?.code === 43 || failure?.code === 19;
