import { z } from 'zod';
import { readNumber, readText } from './fields.ts';
import {
  moButtonResponse,
  moContacts,
  moListPickerResponse,
  moLocation,
  moMedia,
  moSuggestedResponse,
  moText,
} from './replies.ts';
import { classifyStatus, STATUS_CLASSES } from './status-codes.ts';
import { messageStatusUpdate } from './status-update.ts';

// The typed `data` of each known event type has one shape: every field is present, and null where Clickatell sent
// nothing.

const textOrNull = z.string().nullable();
const numberOrNull = z.number().nullable();

const messageData = {
  profileName: textOrNull.describe("The sender's name on WhatsApp."),
  relatedClientMessageId: textOrNull.describe('Your own id for the message that this one answers.'),
  encryptionKey: textOrNull.describe('When not null, text and media are encrypted for the client.'),
};
const charset = textOrNull.describe('Informative; `text` is as received.');
const postbackData = textOrNull.describe('As you defined it in the outbound message.');

const textData = z.object({
  ...messageData,
  text: textOrNull,
  charset,
  network: textOrNull.describe('The SMS network; null on WhatsApp.'),
});

const mediaFileData = z.object({
  contentType: textOrNull,
  fileName: textOrNull,
  byteSize: numberOrNull,
  sha256Hash: textOrNull.describe('Whether over plain or encrypted bytes is not documented.'),
  downloadUrl: textOrNull.describe('Available for 30 days, with your API key; null for inline media.'),
  inline: z
    .boolean()
    .describe('The file came inside the callback: its base64 is `raw.content`, not repeated here for its size.'),
});

const mediaData = z.object({
  ...messageData,
  caption: textOrNull,
  files: z.array(mediaFileData).describe('Media sent inline and by reference alike.'),
});

const locationData = z.object({
  ...messageData,
  latitude: numberOrNull,
  longitude: numberOrNull,
  name: textOrNull,
  address: textOrNull,
  charset,
});

const contactData = z.looseObject({
  name: z
    .looseObject({ firstName: textOrNull, formattedName: textOrNull, lastName: textOrNull })
    .nullable()
    .describe('May hold more parts than these.'),
  phones: z.array(z.looseObject({ phone: textOrNull, type: textOrNull, waId: textOrNull })),
  emails: z.array(z.looseObject({ email: textOrNull, type: textOrNull })),
  addresses: z.array(
    z.looseObject({
      city: textOrNull,
      country: textOrNull,
      countryCode: textOrNull,
      state: textOrNull,
      street: textOrNull,
      type: textOrNull,
      zip: textOrNull,
    }),
  ),
  urls: z.array(z.looseObject({ url: textOrNull, type: textOrNull })),
  org: z.looseObject({ company: textOrNull }).nullable(),
  birthday: textOrNull.describe('Free text.'),
});

const contactsData = z.object({ ...messageData, contacts: z.array(contactData), charset });

const suggestedResponseData = z.object({ ...messageData, text: textOrNull, postbackData, charset });

const selectedItemData = z.object({ postbackData, content: textOrNull.describe('Null on some channels.') });

const listPickerResponseData = z.object({
  ...messageData,
  postbackData,
  selectedItems: z.array(selectedItemData),
});

const buttonResponseData = z.object({
  ...messageData,
  postbackData,
  selectedItem: selectedItemData.nullable(),
});

const statusData = z.object({
  code: numberOrNull.describe('`statusCode`.'),
  name: textOrNull.describe('`status`, trimmed.'),
  class: z.enum(STATUS_CLASSES),
  final: z.boolean().describe('No other status follows.'),
});

export type TextData = z.infer<typeof textData>;
export type MediaData = z.infer<typeof mediaData>;
export type MediaFile = z.infer<typeof mediaFileData>;
export type LocationData = z.infer<typeof locationData>;
export type ContactsData = z.infer<typeof contactsData>;
export type SuggestedResponseData = z.infer<typeof suggestedResponseData>;
export type ListPickerResponseData = z.infer<typeof listPickerResponseData>;
export type ButtonResponseData = z.infer<typeof buttonResponseData>;
export type StatusData = z.infer<typeof statusData>;

/** How an element of a known type arrives (`wire`), and what we make of it (`data`). */
interface KnownType<Wire extends z.ZodType, Data extends z.ZodType> {
  readonly wire: Wire;
  readonly data: Data;
  readonly read: (element: z.infer<Wire>) => z.infer<Data>;
}

const knownType = <Wire extends z.ZodType, Data extends z.ZodType>(
  wire: Wire,
  data: Data,
  read: (element: z.infer<Wire>) => z.infer<Data>,
): KnownType<Wire, Data> => ({ wire, data, read });

/** The eight event types that Clickatell documents. */
export const knownTypes = {
  moText: knownType(moText, textData, (element) => ({
    ...readMessage(element),
    text: element.content ?? null,
    charset: element.charset ?? null,
    network: element.sms?.network ?? null,
  })),
  moMedia: knownType(moMedia, mediaData, (element) => ({
    ...readMessage(element),
    caption: element.caption ?? null,
    files: readFiles(element),
  })),
  moLocation: knownType(moLocation, locationData, (element) => ({
    ...readMessage(element),
    latitude: readNumber(element.latitude) ?? readNumber(element.latitute),
    longitude: readNumber(element.longitude),
    name: element.locationName ?? null,
    address: element.locationAddress ?? null,
    charset: element.charset ?? null,
  })),
  moContacts: knownType(moContacts, contactsData, (element) => ({
    ...readMessage(element),
    contacts: (element.contacts ?? []).map(readContact),
    charset: element.charset ?? null,
  })),
  moSuggestedResponse: knownType(moSuggestedResponse, suggestedResponseData, (element) => ({
    ...readMessage(element),
    text: element.content ?? null,
    postbackData: element.postbackData ?? null,
    charset: element.charset ?? null,
  })),
  moListPickerResponse: knownType(moListPickerResponse, listPickerResponseData, (element) => ({
    ...readMessage(element),
    postbackData: element.postbackData ?? null,
    selectedItems: (element.selectedItems ?? []).map(readSelectedItem),
  })),
  moButtonResponse: knownType(moButtonResponse, buttonResponseData, (element) => ({
    ...readMessage(element),
    postbackData: element.postbackData ?? null,
    selectedItem: element.selectedItem ? readSelectedItem(element.selectedItem) : null,
  })),
  messageStatusUpdate: knownType(messageStatusUpdate, statusData, (element) =>
    classifyStatus({ code: readNumber(element.statusCode), name: element.status ?? null }),
  ),
};

type KnownTypes = typeof knownTypes;
export type KnownEventType = keyof KnownTypes;
/** The typed `data` of an event type. */
export type DataOf<Type extends KnownEventType> = z.infer<KnownTypes[Type]['data']>;
/** The element of an event type as Clickatell sends it. */
export type WireOf<Type extends KnownEventType> = z.infer<KnownTypes[Type]['wire']>;

export const KNOWN_EVENT_TYPES = Object.keys(knownTypes) as readonly KnownEventType[];

export const isKnownEventType = (type: string): type is KnownEventType => Object.hasOwn(knownTypes, type);

interface MessageElement {
  readonly whatsapp?: { readonly profileName?: string | null | undefined } | null | undefined;
  readonly relatedClientMessageId?: string | number | null | undefined;
  readonly encryptionKey?: string | null | undefined;
}

const readMessage = (element: MessageElement) => ({
  profileName: element.whatsapp?.profileName ?? null,
  relatedClientMessageId: readText(element.relatedClientMessageId),
  encryptionKey: element.encryptionKey ?? null,
});

/** Reads both inline media and `files`: nothing says that they never come together. */
const readFiles = (element: z.infer<typeof moMedia>): MediaFile[] => {
  const files: MediaFile[] = (element.files ?? []).map((file) => ({
    contentType: file.contentType ?? null,
    fileName: file.fileName ?? null,
    byteSize: readNumber(file.byteSize),
    sha256Hash: file.sha256Hash ?? null,
    downloadUrl: file.downloadUrl ?? null,
    inline: false,
  }));
  if (typeof element.content !== 'string') return files;
  const inline: MediaFile = {
    contentType: element.contentType ?? null,
    fileName: element.fileName ?? null,
    byteSize: null,
    sha256Hash: element.sha256Hash ?? null,
    downloadUrl: null,
    inline: true,
  };
  return [inline, ...files];
};

type Contact = NonNullable<z.infer<typeof moContacts>['contacts']>[number];

const readContact = (contact: Contact): ContactsData['contacts'][number] => {
  const { name, org } = contact;
  return {
    ...contact,
    name: name
      ? {
          ...name,
          firstName: name.firstName ?? null,
          formattedName: name.formattedName ?? null,
          lastName: name.lastName ?? null,
        }
      : null,
    phones: (contact.phones ?? []).map((phone) => ({
      ...phone,
      phone: readText(phone.phone),
      type: phone.type ?? null,
      waId: readText(phone.waId),
    })),
    emails: (contact.emails ?? []).map((email) => ({ ...email, email: email.email ?? null, type: email.type ?? null })),
    addresses: (contact.addresses ?? []).map((address) => ({
      ...address,
      city: address.city ?? null,
      country: address.country ?? null,
      countryCode: address.countryCode ?? null,
      state: address.state ?? null,
      street: address.street ?? null,
      type: address.type ?? null,
      zip: address.zip ?? null,
    })),
    urls: (contact.urls ?? []).map((url) => ({ ...url, url: url.url ?? null, type: url.type ?? null })),
    org: org ? { ...org, company: org.company ?? null } : null,
    birthday: contact.birthday ?? null,
  };
};

const readSelectedItem = (item: {
  readonly postbackData?: string | null | undefined;
  readonly content?: string | null | undefined;
}) => ({ postbackData: item.postbackData ?? null, content: item.content ?? null });
