import type { IDataObject } from 'n8n-workflow';

/** Says what is wrong with a message before it is sent, and what to do. */
export class InvalidMessageError extends Error {
  override readonly name = 'InvalidMessageError';
  readonly description: string;

  constructor(message: string, description: string) {
    super(message);
    this.description = description;
  }
}

/** Options of every message; empty ones are left out. */
export interface MessageOptions {
  /** The event that this message is sent for, where n8n cannot find it. */
  readonly event?: unknown;
  readonly sendInTests?: boolean;
  /** Whether each message is sent once for each event. @default true */
  readonly once?: boolean;
  /** What to do when it is not known whether an earlier try has sent a message. @default 'stop' */
  readonly inDoubt?: 'stop' | 'send';
  readonly clientMessageId?: string;
  readonly from?: string;
  readonly previewFirstUrl?: boolean;
  readonly relatedMessageId?: string;
  readonly scheduledDeliveryTime?: string;
  readonly validityPeriod?: number;
}

/** Builds a message to one recipient. */
export const messageTo = (
  channel: string,
  to: unknown,
  content: IDataObject,
  options: MessageOptions = {},
): IDataObject => {
  const message: IDataObject = { channel, to: readRecipient(to), ...content };
  const { clientMessageId, from, previewFirstUrl, relatedMessageId, scheduledDeliveryTime, validityPeriod } = options;
  if (clientMessageId) message['clientMessageId'] = String(clientMessageId);
  if (from) message['from'] = readSender(from);
  if (previewFirstUrl) message['previewFirstUrl'] = true;
  if (relatedMessageId) message['relatedMessageId'] = String(relatedMessageId);
  if (scheduledDeliveryTime) message['scheduledDeliveryTime'] = String(scheduledDeliveryTime);
  if (validityPeriod) message['validityPeriod'] = Number(validityPeriod);
  return message;
};

/** Clickatell takes the digits of a number in international format. WhatsApp's user ids go as they are. */
const readRecipient = (to: unknown): string => {
  const given = String(to ?? '').trim();
  if (given === '') {
    throw new InvalidMessageError(
      'There is no recipient',
      'Set To to a phone number, for example to {{ $json.from }}, the sender of an event.',
    );
  }
  if (USER_ID.test(given)) return given;
  const digits = /^[+\d\s().-]+$/.test(given) ? given.replace(/\D/g, '') : '';
  // What people dial before an international number, where the phone does not know "+".
  const number = given.startsWith('+') ? digits : digits.replace(/^00/, '');
  if (/^[1-9]\d{6,14}$/.test(number)) return number;
  throw new InvalidMessageError(
    digits.startsWith('0') ? 'To has no country code' : 'To is not a phone number',
    'Use the international format: country code and number without a leading 0, 7 to 15 digits, such as 27999900001 or +27 99 990 0001.',
  );
};

/** WhatsApp's id of a person whose number is hidden, as in `from` of an event. */
const USER_ID = /^[A-Z]{2}\.[A-Za-z0-9]{6,128}$/;

/** A number, a short code, or a name, by the rules of the country. */
const readSender = (from: unknown): string => {
  const given = String(from).trim();
  return /^\+?[\d\s().-]+$/.test(given) ? given.replace(/\D/g, '') : given;
};

/** Builds a reply to the event's sender, on its channel; an SMS comes from the number that the person wrote to. */
export const replyTo = (
  event: unknown,
  text: string,
  { quote }: { quote: boolean },
  options: MessageOptions,
): IDataObject => {
  const { from, to, channel, messageId } = readEvent(event);
  if (typeof from !== 'string' || from === '') {
    throw new InvalidMessageError(
      'This event cannot be answered: it has no sender',
      'Only what a person sent has a sender; a status update has none. In the trigger, choose messages only.',
    );
  }
  const sendOn = sendableChannel(channel);
  return messageTo(
    sendOn,
    from,
    { content: readText(text) },
    {
      ...(sendOn === 'sms' && typeof to === 'string' && to !== '' && { from: to }),
      ...(quote && typeof messageId === 'string' && { relatedMessageId: messageId }),
      ...options,
    },
  );
};

/** Picks the first channel that can be sent on: Clickatell's own samples say "whatsapp/sms". */
const sendableChannel = (channel: unknown): string => {
  const names = String(channel ?? '')
    .toLowerCase()
    .split(/[/,\s]+/)
    .filter(Boolean);
  return names.find((name) => name === 'whatsapp' || name === 'sms') ?? names[0] ?? 'whatsapp';
};

export const readEvent = (event: unknown): IDataObject => {
  if (event === undefined || event === null || event === '') {
    throw new InvalidMessageError(
      'No event of a Clickatell trigger leads to this item',
      "Set Event to what the trigger gave, for example {{ $('Clickatell Trigger').first().json }}.",
    );
  }
  const parsed = typeof event === 'string' ? parseJson(event) : event;
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as IDataObject;
  throw new InvalidMessageError(
    'Event is not an event',
    "Leave it empty, or set it to what the trigger gave, for example {{ $('Clickatell Trigger').item.json }}.",
  );
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

export const readText = (text: unknown): string => {
  const given = String(text ?? '');
  if (given.trim() === '')
    throw new InvalidMessageError('The text is empty', 'Set Text: Clickatell sends no empty messages.');
  return given;
};

export interface TemplateFields {
  readonly name: string;
  /** Values of the body's `{{1}}`, `{{2}}`, …, in order. */
  readonly parameters: readonly string[];
  readonly header?:
    | { readonly type: 'text'; readonly parameters: readonly string[] }
    | { readonly type: 'media'; readonly media: IDataObject };
}

/** Clickatell's newer format for templates, with a header. */
export const templateContent = ({ name, parameters, header }: TemplateFields): IDataObject => ({
  template: {
    templateName: readName(name),
    ...(header?.type === 'text' && { header: { type: 'text', text: { parameters: numbered(header.parameters) } } }),
    ...(header?.type === 'media' && { header: { type: 'media', media: header.media } }),
    body: { parameters: numbered(parameters) },
  },
});

/** Clickatell's older format for templates. */
export const hsmContent = ({ name, parameters }: TemplateFields): IDataObject => ({
  hsm: { template: readName(name), parameters: numbered(parameters) },
});

const readName = (name: string): string => {
  const given = String(name ?? '').trim();
  if (given === '')
    throw new InvalidMessageError('There is no template name', 'Set it to the name of an approved template.');
  return given;
};

const numbered = (parameters: readonly string[]): IDataObject =>
  Object.fromEntries(parameters.map((value, index) => [String(index + 1), readParameter(value, index + 1)]));

/**
 * Checks early what WhatsApp refuses only long after Clickatell has accepted the message. Source: www.clickatell.com,
 * "One API send templated message".
 */
const readParameter = (value: unknown, number: number): string => {
  const given = String(value ?? '');
  const fault = /[\r\n]/.test(given)
    ? 'a line break'
    : /\t/.test(given)
      ? 'a tab'
      : / {5}/.test(given)
        ? 'more than four spaces in a row'
        : null;
  if (fault === null) return given;
  throw new InvalidMessageError(
    `Parameter ${number} of the template holds ${fault}`,
    'WhatsApp does not allow it in a parameter of a template. Use {{ $json.text.replace(/\\s+/g, " ") }} to put a text on one line.',
  );
};

/** Builds a location. The coordinates are text, as in a consumer's model and in callbacks. */
export const locationContent = (
  latitude: unknown,
  longitude: unknown,
  name: unknown,
  address: unknown,
): IDataObject => ({
  location: {
    latitude: String(readCoordinate(latitude, 'Latitude', 90)),
    longitude: String(readCoordinate(longitude, 'Longitude', 180)),
    ...(name ? { name: String(name) } : {}),
    ...(address ? { address: String(address) } : {}),
  },
});

const readCoordinate = (value: unknown, name: string, limit: number): number => {
  const given = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  if (Number.isFinite(given) && Math.abs(given) <= limit) return given;
  throw new InvalidMessageError(`${name} is not a coordinate`, `It must be a number from -${limit} to ${limit}.`);
};

export interface Button {
  readonly title: string;
  readonly postbackData?: string;
}

/**
 * Builds up to three reply buttons under a text. Clickatell documents no format; this one is from a public consumer.
 */
export const buttonsContent = (body: unknown, buttons: readonly Button[]): IDataObject => {
  if (buttons.length < 1 || buttons.length > 3) {
    throw new InvalidMessageError(`There are ${buttons.length} buttons`, 'WhatsApp takes one to three reply buttons.');
  }
  const items = buttons.map(({ title, postbackData }, index) => {
    const label = String(title ?? '').trim();
    if (label === '' || [...label].length > 20) {
      throw new InvalidMessageError(
        `The title of button ${index + 1} is empty or longer than 20 characters`,
        'Make it shorter.',
      );
    }
    const data = String(postbackData ?? '').trim() || label;
    if ([...data].length > 256) {
      throw new InvalidMessageError(
        `The postback data of button ${index + 1} is longer than 256 characters`,
        'Make it shorter.',
      );
    }
    return { type: 'reply', title: label, postbackData: data };
  });
  return { button: { body: readText(body), items } };
};

/** Reads one message, a list of them, or the whole body of a request (`{"messages": […]}`). */
export const readRawMessages = (raw: unknown): IDataObject[] => {
  const parsed = typeof raw === 'string' ? parseJson(raw) : raw;
  if (parsed === undefined) {
    throw new InvalidMessageError(
      'Messages is not JSON',
      'Give one message, a list of messages, or {"messages": […]}.',
    );
  }
  const body = parsed as { messages?: unknown } | null;
  const list = Array.isArray(parsed) ? parsed : Array.isArray(body?.messages) ? body.messages : [parsed];
  if (list.length < 1 || list.length > 100) {
    throw new InvalidMessageError(`There are ${list.length} messages`, 'Send 1 to 100 at a time.');
  }
  return list.map((message: unknown, index) => {
    if (typeof message === 'object' && message !== null && !Array.isArray(message)) return message as IDataObject;
    throw new InvalidMessageError(
      `Message ${index + 1} is not an object`,
      'Give one message, a list of messages, or {"messages": […]}.',
    );
  });
};
