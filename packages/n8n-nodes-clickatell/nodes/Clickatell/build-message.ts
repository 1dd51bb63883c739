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
  if (from) message['from'] = readRecipient(from);
  if (previewFirstUrl) message['previewFirstUrl'] = true;
  if (relatedMessageId) message['relatedMessageId'] = String(relatedMessageId);
  if (scheduledDeliveryTime) message['scheduledDeliveryTime'] = String(scheduledDeliveryTime);
  if (validityPeriod) message['validityPeriod'] = Number(validityPeriod);
  return message;
};

/** Clickatell takes digits without "+". Leaves anything alone that is not a phone number, such as an anonymous id. */
const readRecipient = (to: unknown): string => {
  const given = String(to ?? '').trim();
  if (given === '') {
    throw new InvalidMessageError(
      'There is no recipient',
      'Set To, for example to {{ $json.from }}, the sender of an event.',
    );
  }
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
      "Set Event to the item of the trigger, for example {{ $('Clickatell Trigger').item.json }}. Status updates have no sender.",
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
  const parsed = typeof event === 'string' ? parseJson(event) : event;
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as IDataObject;
  throw new InvalidMessageError(
    'Event is not an event',
    "Set it to the item of the trigger, for example {{ $('Clickatell Trigger').item.json }}.",
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
