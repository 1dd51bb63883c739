import {
  type IDataObject,
  type INodeType,
  type INodeTypeDescription,
  type IRun,
  type ITriggerFunctions,
  type ITriggerResponse,
  NodeConnectionTypes,
  NodeOperationError,
} from 'n8n-workflow';
import { toItem } from '../shared/item.ts';
import { channelsProperty, eventsProperty, readWantedEvents, statusClassesProperty } from '../shared/wanted-events.ts';
import { type ConsumeOptions, consume } from './consume.ts';
import { destinationIdOf } from './destination-id.ts';
import { endingOf } from './ending.ts';
import { explain } from './explain.ts';
import { peekOnce } from './peek-once.ts';
import { connectRelay, type Declaration, type Delivery, RelayError } from './relay.ts';
import type { Ending, Log } from './run-delivery.ts';

export class ClickatellTrigger implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Clickatell Trigger',
    name: 'clickatellTrigger',
    icon: { light: 'file:../../icons/clickatell.svg', dark: 'file:../../icons/clickatell.dark.svg' },
    group: ['trigger'],
    version: 1,
    subtitle: '={{ ($parameter["events"] || []).join(", ") }}',
    description:
      'Starts the workflow for each WhatsApp or SMS event that Clickrelay holds, and tries again when the workflow fails',
    eventTriggerDescription: 'Send a message to your Clickatell number; the newest event is shown and not taken',
    activationMessage:
      'From now on events wait in Clickrelay until this workflow has handled them, also while n8n is down.',
    defaults: { name: 'Clickatell Trigger' },
    inputs: [],
    outputs: [NodeConnectionTypes.Main],
    credentials: [{ name: 'clickrelayApi', required: true }],
    properties: [
      eventsProperty,
      statusClassesProperty,
      {
        displayName: 'Acknowledge',
        name: 'acknowledge',
        type: 'options',
        default: 'success',
        description:
          'When an event counts as done. Until then Clickrelay keeps it, and gives it out again if n8n dies.',
        options: [
          {
            name: 'When the Workflow Succeeds',
            value: 'success',
            description: 'A failed workflow is run again. Nothing is lost; an event may come twice after a crash.',
          },
          {
            name: 'When the Workflow Ends',
            value: 'end',
            description: 'Also when it failed. An event may come twice after a crash.',
          },
          {
            name: 'At Once',
            value: 'start',
            description: 'Before the workflow runs. An event never comes twice, and is lost if n8n dies.',
          },
        ],
      },
      {
        displayName: 'When the Workflow Fails',
        name: 'onFailure',
        type: 'options',
        default: 'retry',
        displayOptions: { show: { acknowledge: ['success'] } },
        options: [
          {
            name: 'Try Again Later',
            value: 'retry',
            description:
              'After growing pauses, as RETRY_SCHEDULE of Clickrelay says. After the last try the event is a dead letter.',
          },
          {
            name: 'Make It a Dead Letter',
            value: 'deadLetter',
            description: 'Kept with the error of the workflow until someone replays or removes it',
          },
        ],
      },
      {
        displayName: 'Options',
        name: 'options',
        type: 'collection',
        placeholder: 'Add option',
        default: {},
        options: [
          channelsProperty,
          {
            displayName: 'Concurrency',
            name: 'concurrency',
            type: 'number',
            typeOptions: { minValue: 1, maxValue: 100 },
            default: 5,
            description: 'How many events this workflow handles at a time',
          },
          {
            displayName: 'Destination',
            name: 'destinationId',
            type: 'string',
            default: '',
            placeholder: 'n8n-support-bot',
            description:
              'Name under which Clickrelay keeps the events of this trigger: lower-case letters, digits and dashes. Empty: made from the ID of the workflow and of this node. Triggers with the same name share the events.',
          },
          {
            displayName: 'Filter',
            name: 'filter',
            type: 'string',
            default: '',
            noDataExpression: true,
            placeholder: "event.data.text.contains('STOP')",
            description:
              'Expression (CEL) over event that must be true, decided by Clickrelay before a workflow starts. Empty means every event.',
          },
          {
            displayName: 'Keep Order of Each Conversation',
            name: 'keepOrder',
            type: 'boolean',
            default: false,
            description:
              'Whether an event starts a workflow only when the one before it between the same two numbers is done. Other conversations do not wait.',
          },
          {
            displayName: 'Leave Out Raw',
            name: 'withoutRaw',
            type: 'boolean',
            default: false,
            description:
              'Whether to leave the event as Clickatell sent it out of the item. Media that came inside the callback are in there.',
          },
          {
            displayName: 'Time Limit (Minutes)',
            name: 'timeLimitMinutes',
            type: 'number',
            typeOptions: { minValue: 1, maxValue: 10_080 },
            default: 60,
            description: 'When a workflow has not ended after this time, its event counts as failed',
          },
        ],
      },
    ],
  };

  async trigger(this: ITriggerFunctions): Promise<ITriggerResponse> {
    // Everything is read now: expressions cannot be evaluated once this function has returned.
    const options = this.getNodeParameter('options', {}) as IDataObject;
    const wanted = readWantedEvents(
      this.getNodeParameter('events', ['mo*']),
      this.getNodeParameter('statusClasses', []),
      options,
    );
    const acknowledge = this.getNodeParameter('acknowledge', 'success') as ConsumeOptions['acknowledge'];
    const retryFailures = this.getNodeParameter('onFailure', 'retry') !== 'deadLetter';
    const withoutRaw = options['withoutRaw'] === true;
    const destinationId = destinationIdOf(this, options['destinationId']);
    const relay = connectRelay(this, destinationId);
    const filter = String(options['filter'] ?? '').trim();
    const declaration: Declaration = {
      ...wanted,
      ...(filter !== '' && { filter }),
      ...(options['keepOrder'] === true && { ordering: 'conversation' }),
    };

    if (this.getMode() === 'manual') {
      const closing = new AbortController();
      return {
        manualTriggerFunction: async () => {
          const item = await peekOnce(this, relay, { destinationId, wanted, withoutRaw, signal: closing.signal });
          if (item !== undefined) this.emit([[item]]);
        },
        closeFunction: async () => closing.abort(),
      };
    }

    let declared = false;
    try {
      await relay.declare(declaration);
      declared = true;
    } catch (error) {
      if (!(error instanceof RelayError) || !error.isOutage) {
        throw new NodeOperationError(this.getNode(), error as Error, explain(error as RelayError, destinationId));
      }
      // Away for the moment: events wait in Clickrelay, and so does this trigger.
      this.logger.warn(`Clickatell Trigger: ${error.message}; it goes on as soon as Clickrelay is back`);
    }

    const run = async (delivery: Delivery): Promise<Ending> => {
      const done = this.helpers.createDeferredPromise<IRun>();
      const item = toItem(delivery.event, { attempt: delivery.attempt, withoutRaw });
      // No deduplication key: n8n remembers keys of crashed runs too, and would drop the event that comes again.
      this.emit([[item]], undefined, done);
      return endingOf(await done.promise);
    };

    const consumer = consume({
      relay,
      declaration,
      declared,
      concurrency: within(options['concurrency'], 1, 100, 5),
      acknowledge,
      retryFailures,
      runLimitMs: within(options['timeLimitMinutes'], 1 / 60, 10_080, 60) * 60_000,
      run,
      log: logTo(this, destinationId),
    });
    return { closeFunction: async () => await consumer.close() };
  }
}

/** What the operator of n8n gets to see. Never `emitError`: it would deactivate the workflow for an outage of ours. */
const logTo = (n8n: ITriggerFunctions, destinationId: string): Log => ({
  away: (error) => n8n.logger.warn(`Clickatell Trigger: ${error.message}; trying again`, { destinationId }),
  back: () => n8n.logger.info('Clickatell Trigger: Clickrelay is back', { destinationId }),
  refused: (error) => {
    const { message, description } = explain(error, destinationId);
    n8n.logger.error(`Clickatell Trigger: ${message}; trying again`, { destinationId });
    // Shows under Executions and runs the error workflow; the trigger stays active, and goes on once it is mended.
    n8n.saveFailedExecution(new NodeOperationError(n8n.getNode(), message, { description }));
  },
  note: (message, deliveryId) => n8n.logger.info(`Clickatell Trigger: ${message}`, { deliveryId }),
});

const within = (value: unknown, lowest: number, highest: number, otherwise: number): number => {
  const number = Number(value ?? otherwise);
  return Number.isFinite(number) ? Math.min(highest, Math.max(lowest, number)) : otherwise;
};
