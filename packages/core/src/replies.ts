import { z } from 'zod';
import { coordinate, count, identifier, messageFields, text } from './fields.ts';

// One schema for each array of a reply callback, named as Clickatell names the array. They describe the wire, without
// transformations, and are loose because the documentation asks customers not to break on new fields.
// Source: help.clickatell.com, "One API Client Callbacks" (the sample), and public consumers' models where noted.

const charset = text.describe('Informative: `content` is passed on as received, never decoded again.');

export const moText = z.looseObject({
  ...messageFields,
  content: text,
  charset,
  sms: z.looseObject({ network: text }).nullish().describe('Absent on WhatsApp.'),
});

const mediaFile = z.looseObject({
  contentType: text,
  downloadUrl: text.describe('Signed and untrusted: send an API key only to platform.clickatell.com, over https.'),
  sha256Hash: text,
  byteSize: count,
  fileName: text,
});

export const moMedia = z.looseObject({
  ...messageFields,
  caption: text,
  contentType: text.describe('The type of inline media.'),
  content: text.describe('Inline media, base64.'),
  sha256Hash: text.describe('The hash of inline media; seen only in a consumer model.'),
  fileName: text,
  files: z.array(mediaFile).nullish().describe('Media by reference.'),
});

export const moLocation = z.looseObject({
  ...messageFields,
  latitute: coordinate.describe('The spelling in the documentation and its sample.'),
  latitude: coordinate.describe('The spelling of the API of 2020; it wins when both are present.'),
  longitude: coordinate,
  locationName: text,
  locationAddress: text,
  charset,
});

const contact = z.looseObject({
  addresses: z
    .array(
      z.looseObject({
        city: text,
        country: text,
        countryCode: text,
        state: text,
        street: text,
        type: text,
        zip: text,
      }),
    )
    .nullish(),
  birthday: text.describe('Free text: the sample holds `01.01.1980`.'),
  emails: z.array(z.looseObject({ email: text, type: text })).nullish(),
  name: z.looseObject({ firstName: text, formattedName: text, lastName: text }).nullish(),
  org: z.looseObject({ company: text }).nullish(),
  phones: z.array(z.looseObject({ phone: identifier, type: text, waId: identifier })).nullish(),
  urls: z.array(z.looseObject({ url: text, type: text })).nullish(),
});

export const moContacts = z.looseObject({ ...messageFields, contacts: z.array(contact).nullish(), charset });

const postbackData = text.describe('As defined in the outbound message.');

export const moSuggestedResponse = z.looseObject({ ...messageFields, content: text, postbackData, charset });

const selectedItem = z.looseObject({ postbackData, content: text.describe('Null on some channels.') });

export const moListPickerResponse = z.looseObject({
  ...messageFields,
  postbackData,
  selectedItems: z.array(selectedItem).nullish(),
});

export const moButtonResponse = z.looseObject({
  ...messageFields,
  postbackData,
  selectedItem: selectedItem.nullish(),
});
