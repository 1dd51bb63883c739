import type { INodeProperties } from 'n8n-workflow';
import { ALL_SENDING, eventOption, SENDING, shownFor } from './shared-fields.ts';

/** An option of one message; raw JSON has it in the message. */
const forOne = { show: { '/operation': [...SENDING, 'reply'] } };

/** The options of every operation that sends messages. */
export const messageOptions: INodeProperties = {
  displayName: 'Options',
  name: 'options',
  type: 'collection',
  placeholder: 'Add option',
  default: {},
  displayOptions: shownFor(ALL_SENDING),
  options: [
    {
      displayName: 'Client Message ID',
      name: 'clientMessageId',
      type: 'string',
      default: '',
      displayOptions: forOne,
      description:
        'Your own ID for the message, which comes back with its status updates. Leave empty to have one made: in a workflow that an event started, the same one for every try.',
    },
    eventOption([...SENDING, 'sendRaw']),
    {
      displayName: 'From',
      name: 'from',
      type: 'string',
      default: '',
      displayOptions: forOne,
      description: 'Number to send from, if the integration has several. Needed for two-way SMS.',
    },
    {
      displayName: 'Older Template Format',
      name: 'hsm',
      type: 'boolean',
      default: false,
      displayOptions: { show: { '/operation': ['sendTemplate'] } },
      description:
        'Whether to send a template as "hsm", without a header, for integrations that refuse the newer format',
    },
    {
      displayName: 'Preview First URL',
      name: 'previewFirstUrl',
      type: 'boolean',
      default: false,
      displayOptions: { show: { '/operation': ['reply', 'sendText'] } },
      description: 'Whether WhatsApp shows a preview of the first link in the text',
    },
    {
      displayName: 'Quote the Message',
      name: 'quote',
      type: 'boolean',
      default: false,
      displayOptions: { show: { '/operation': ['reply'] } },
      description: 'Whether the reply shows the message that it answers',
    },
    {
      displayName: 'Related Message ID',
      name: 'relatedMessageId',
      type: 'string',
      default: '',
      displayOptions: forOne,
      description: 'The message that this one answers',
    },
    {
      displayName: 'Scheduled Delivery Time',
      name: 'scheduledDeliveryTime',
      type: 'string',
      default: '',
      displayOptions: forOne,
      placeholder: 'e.g. 2027-01-31T09:00:00+0200',
      description: 'When Clickatell sends it',
    },
    {
      displayName: 'Send in Tests',
      name: 'sendInTests',
      type: 'boolean',
      default: false,
      description:
        'Whether to send even for a test event, or when the workflow is run by hand. The person whose event it is gets the message.',
    },
    {
      displayName: 'Send Once per Event',
      name: 'once',
      type: 'boolean',
      default: true,
      description:
        'Whether a message is sent only once, however often its event starts the workflow or somebody retries it. Clickrelay notes what was sent.',
    },
    {
      displayName: 'Validity Period (Minutes)',
      name: 'validityPeriod',
      type: 'number',
      typeOptions: { minValue: 1 },
      default: 1440,
      displayOptions: forOne,
      description: 'How long Clickatell tries to deliver it',
    },
    {
      displayName: 'When in Doubt',
      name: 'inDoubt',
      type: 'options',
      default: 'stop',
      description:
        'What to do when n8n broke off in the middle of sending, or Clickrelay does not answer, so that it is not known whether an earlier try has sent the message',
      options: [
        {
          name: 'Send Again',
          value: 'send',
          description: 'The person may get the message twice',
        },
        {
          name: 'Stop With an Error',
          value: 'stop',
          description: 'The person may get no message until somebody looks',
        },
      ],
    },
  ],
};
