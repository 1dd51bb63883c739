import { describe, expect, it } from 'vitest';
import { RECEIVED_AT, split } from '../test/events.ts';
import { reply, replyEnvelope, sampleElement, status } from '../test/samples.ts';

describe("Clickatell's sample reply", () => {
  const envelope = {
    integrationId: 'fa8090815f05d5ed015f0b5b56080cd2',
    integrationName: 'My integration',
    channel: 'whatsapp',
    from: '2799900001',
    to: '2799900002',
    relatedMessageId: null,
    clientMessageId: null,
    occurredAt: '2017-09-28T14:08:18.000Z',
    receivedAt: RECEIVED_AT,
  };
  const message = { profileName: 'Profile Name', relatedClientMessageId: null, encryptionKey: null };
  const sample = (type: string, index = 0) => replyEnvelope.event[type]?.[index];

  const eightEvents = [
    {
      ...envelope,
      id: 'evt_gSBP9cgHMk8jw8nwjXPWzb',
      type: 'moText',
      channel: 'whatsapp/sms',
      messageId: '3a89680503414383af44dcd0e4e5f184',
      relatedMessageId: 'd33eef0838a121f71069a4cc8d55c19e',
      data: {
        ...message,
        relatedClientMessageId: 'd33eef0838a121f71069a4cc8d55c19e',
        text: 'Text Content of the reply message',
        charset: 'UTF-8',
        network: 'Network ID',
      },
      raw: sample('moText'),
    },
    {
      ...envelope,
      id: 'evt_ggfa4kRY_ZYNLYoOGZKhZl',
      type: 'moMedia',
      messageId: '7ed16cedd7ca7c4d252c7ec854dec3cb',
      relatedMessageId: '8f287d93f5e5c5fd3ba228fef124c975',
      data: {
        ...message,
        caption: 'caption text here',
        files: [
          {
            contentType: 'image/jpeg',
            fileName: null,
            byteSize: null,
            sha256Hash: null,
            downloadUrl: null,
            inline: true,
          },
        ],
      },
      raw: sample('moMedia', 0),
    },
    {
      ...envelope,
      id: 'evt_gi6XBltKA2NLaeweLcY1eO',
      type: 'moMedia',
      messageId: '7ed16cedd7ca7c4d252c7ec854dec3cb',
      relatedMessageId: '8f287d93f5e5c5fd3ba228fef124c975',
      data: {
        ...message,
        caption: 'caption text here',
        files: [
          {
            contentType: 'image/jpeg',
            fileName: 'myImage.jpeg',
            byteSize: 12345,
            sha256Hash: '529fd5482f43db39992a894bbe4216f51a4d724131a97b93cc5589433b545820',
            downloadUrl:
              'https://platform.clickatell.com/v1/media?fileId=UUID-1.xxx&sha256Hash=529fd5482f43db39992a894bbe4216f51a4d724131a97b93cc5589433b545820&source=client',
            inline: false,
          },
        ],
      },
      raw: sample('moMedia', 1),
    },
    {
      ...envelope,
      id: 'evt_ge8t7AMkrs6U2K5uwDf9bQ',
      type: 'moLocation',
      messageId: 'f4915e8edf965566246c995c8703120d',
      data: {
        ...message,
        latitude: 37.536033630371094,
        longitude: -122.25885772705078,
        name: 'Clickatell',
        address: '900 Island Dr #202, Redwood City, Redwood City, CA, 94065',
        charset: 'Character set of the reply message',
      },
      raw: sample('moLocation'),
    },
    {
      ...envelope,
      id: 'evt_gmp7GRj494NBY9mfU_riYt',
      type: 'moContacts',
      messageId: 'f4915e8edf965566246c995c8703120d',
      data: {
        ...message,
        contacts: [
          {
            name: { firstName: 'First Name', formattedName: 'Formatted Name', lastName: 'Last Name' },
            phones: [
              { phone: '2799900001', type: 'personal', waId: null },
              { phone: '2799900002', type: 'personal', waId: 'waId' },
            ],
            emails: [{ email: '[email protected]', type: 'personal' }],
            addresses: [
              {
                city: 'Johannesburg',
                country: 'SA',
                countryCode: '10',
                state: 'state',
                street: 'street',
                type: 'personal',
                zip: '1010',
              },
            ],
            urls: [{ url: 'https://clickatelllabs.com', type: 'personal' }],
            org: { company: 'Clickatell' },
            birthday: '01.01.1980',
          },
        ],
        charset: 'Character set of the reply message',
      },
      raw: sample('moContacts'),
    },
    {
      ...envelope,
      id: 'evt_gTysLXx4f2dA77H4AkEDjj',
      type: 'moSuggestedResponse',
      messageId: '3a89680503414383af44dcd0e4e5f184',
      relatedMessageId: 'd33eef0838a121f71069a4cc8d55c19e',
      data: {
        ...message,
        relatedClientMessageId: 'd33eef0838a121f71069a4cc8d55c19e',
        text: 'Text Content of the reply message',
        postbackData: 'Custom Data As Defined In Outbound Message',
        charset: 'UTF-8',
      },
      raw: sample('moSuggestedResponse'),
    },
    {
      ...envelope,
      id: 'evt_gD0THUzkE__fME1E9PwhNc',
      type: 'moListPickerResponse',
      messageId: '7ed16cedd7ca7c4d252c7ec854dec3cb',
      data: {
        ...message,
        profileName: 'WA Client Profile Name',
        postbackData: null,
        selectedItems: [{ postbackData: 'food option 1', content: null }],
      },
      raw: sample('moListPickerResponse'),
    },
    {
      ...envelope,
      id: 'evt_gMilWUKMNJ6_KyuH36GX3t',
      type: 'moButtonResponse',
      messageId: '7ed16cedd7ca7c4d252c7ec854dec3cb',
      relatedMessageId: '27366213db12571cf7f433184ffa46ea',
      data: {
        ...message,
        profileName: 'WA Client Profile Name',
        postbackData: null,
        selectedItem: {
          postbackData: 'postback-id-2',
          content: 'This field might be set to null on some channels',
        },
      },
      raw: sample('moButtonResponse'),
    },
  ];

  it('is these eight events', () => {
    expect(split(reply).map(({ event }) => event)).toEqual(eightEvents);
  });
});

describe("Clickatell's sample status", () => {
  it('is this event', () => {
    expect(split(status).map(({ event }) => event)).toEqual([
      {
        id: 'evt_O9WxJIjO53Qhs6VDxXpJvH',
        type: 'messageStatusUpdate',
        integrationId: 'fa8090815f05d5ed015f0b5b56080cd2',
        integrationName: 'My integration',
        channel: 'whatsapp/sms',
        from: null,
        to: null,
        messageId: '3a89680503414383af44dcd0e4e5f184',
        relatedMessageId: null,
        clientMessageId: '2993b6b548000a80989a20549e7558a5',
        occurredAt: '2017-09-28T14:08:18.860Z',
        receivedAt: RECEIVED_AT,
        data: { code: 5, name: 'DEVICE_ACK', class: 'delivered', final: false },
        raw: sampleElement('messageStatusUpdate'),
      },
    ]);
  });
});
