import { type Event, matchesEventType, splitCallback } from '@clickrelay/core';
import type { WantedEvents } from '../shared/wanted-events.ts';

const PARTIES = { from: '2799900001', to: '2799900002' };
const MESSAGE = { channel: 'whatsapp', messageId: '3a89680503414383af44dcd0e4e5f184', timestamp: 1506607698000 };
const SENDER = { ...MESSAGE, ...PARTIES, whatsapp: { profileName: 'Profile Name' } };

/** Clickatell's documented samples, shortened, to show what an item looks like before there is a real one. */
const SAMPLES: Record<string, object> = {
  moText: { ...SENDER, content: 'Text Content of the reply message', charset: 'UTF-8' },
  moMedia: {
    ...SENDER,
    caption: 'Caption of the picture',
    files: [
      {
        contentType: 'image/jpeg',
        downloadUrl: 'https://platform.clickatell.com/v1/media?fileId=sample',
        sha256Hash: null,
        byteSize: 1024,
        fileName: 'picture.jpg',
      },
    ],
  },
  moLocation: {
    ...SENDER,
    latitude: '-33.8914844',
    longitude: '18.5119731',
    locationName: 'Clickatell',
    locationAddress: 'Bellville, South Africa',
  },
  moContacts: {
    ...SENDER,
    contacts: [{ name: { formattedName: 'First Last' }, phones: [{ phone: '+27999000001', type: 'CELL' }] }],
  },
  moButtonResponse: { ...SENDER, selectedItem: { content: 'Yes', postbackData: 'yes' } },
  moListPickerResponse: { ...SENDER, selectedItems: [{ content: 'First item', postbackData: 'item-1' }] },
  moSuggestedResponse: { ...SENDER, content: 'Suggested reply', postbackData: 'reply-1' },
  messageStatusUpdate: { ...MESSAGE, statusCode: 5, status: 'DEVICE_ACK', clientMessageId: 'your-own-id' },
};

/** Returns a sample of the first wanted type, or a text message when no documented type is wanted. */
export const sampleEvent = ({ events }: WantedEvents): Event => {
  const type =
    Object.keys(SAMPLES).find((known) => events.some((pattern) => matchesEventType(pattern, known))) ?? 'moText';
  const callback = { integrationId: 'sample', integrationName: 'Sample', event: { [type]: [SAMPLES[type]] } };
  const [logged] = splitCallback(JSON.stringify(callback), new Date().toISOString());
  if (logged === undefined) throw new Error('a sample callback always holds one event');
  return logged.event;
};
