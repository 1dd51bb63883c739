import {
  type ICredentialsDecrypted,
  type ICredentialTestFunctions,
  type IDataObject,
  type INodeType,
  type INodeTypeDescription,
  type IRun,
  type ITriggerFunctions,
  type ITriggerResponse,
  NodeConnectionTypes,
  NodeOperationError,
} from 'n8n-workflow';
import type { RelayError } from '../shared/call-relay.ts';
import { explainNoAnswer } from '../shared/explain-no-answer.ts';
import { toItem, withoutRawProperty } from '../shared/item.ts';
import { testClickrelay } from '../shared/test-clickrelay.ts';
import { channelsProperty, eventsProperty, readWantedEvents, statusClassesProperty } from '../shared/wanted-events.ts';
import { type ConsumeOptions, consume } from './consume.ts';
import { claim, declareNamed } from './declare.ts';
import { destinationIdOf } from './destination-id.ts';
import { endingOf } from './ending.ts';
import { explain } from './explain.ts';
import { peekOnce } from './peek-once.ts';
import { connectRelay, type Declaration, type Delivery } from './relay.ts';
import { asRelayError, type Ending, type Log } from './run-delivery.ts';

export class ClickatellTrigger implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Clickatell Trigger',
    name: 'clickatellTrigger',
    icon: { light: 'file:../../icons/clickatell.svg', dark: 'file:../../icons/clickatell.dark.svg' },
    group: ['trigger'],
    version: 1,
    subtitle: '={{ ($parameter["events"] || []).join(", ") }}',
    description:
      'Starts the workflow for each WhatsApp or SMS event that Clickrelay holds, and retries when the workflow fails',
    eventTriggerDescription:
      'Send a message to your Clickatell number; the newest event is shown, and stays in Clickrelay',
    activationMessage:
      'From now on, events wait in Clickrelay until this workflow has handled them, even while n8n is down.',
    defaults: { name: 'Clickatell Trigger' },
    inputs: [],
    outputs: [NodeConnectionTypes.Main],
    credentials: [{ name: 'clickrelayApi', required: true, testedBy: 'testClickrelay' }],
    properties: [
      eventsProperty,
      statusClassesProperty,
      {
        displayName: 'Acknowledge',
        name: 'acknowledge',
        type: 'options',
        default: 'success',
        description:
          'When an event counts as done. Until then Clickrelay keeps it, and hands it out again if n8n crashes.',
        options: [
          {
            name: 'When the Workflow Succeeds',
            value: 'success',
            description: 'A failed workflow runs again. Nothing is lost; an event may come twice after a crash.',
          },
          {
            name: 'When the Workflow Ends',
            value: 'end',
            description: 'Even if it failed. An event may come twice after a crash.',
          },
          {
            name: 'At Once',
            value: 'start',
            description: 'Before the workflow runs. An event never comes twice, but is lost if n8n crashes.',
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
            description: 'With growing pauses. After the last try the event is set aside, as below.',
          },
          {
            name: 'Set It Aside',
            value: 'deadLetter',
            description: 'Kept with the error of the workflow, as a dead letter, until someone replays or removes it',
          },
        ],
      },
      {
        displayName:
          'Every try runs the workflow from its start: a message that was sent before the failing node <b>is sent again</b>. Put the nodes that send last, or set failures aside.',
        name: 'sentAgain',
        type: 'notice',
        default: '',
        displayOptions: { show: { acknowledge: ['success'], onFailure: ['retry'] } },
      },
      {
        displayName: 'Most Tries',
        name: 'mostTries',
        type: 'number',
        typeOptions: { minValue: 2, maxValue: 100 },
        default: 3,
        displayOptions: { show: { acknowledge: ['success'], onFailure: ['retry'] } },
        description:
          'How often the workflow runs for one event at most, the first time included. RETRY_SCHEDULE in Clickrelay sets the pauses, and may end earlier.',
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
            placeholder: 'e.g. n8n-support-bot',
            description:
              'Name under which Clickrelay keeps the events of this trigger: lower-case letters, digits and dashes. Leave empty to make one that no other trigger has. Triggers with the same name share their events, and must have the same settings.',
          },
          {
            displayName: 'Filter',
            name: 'filter',
            type: 'string',
            default: '',
            noDataExpression: true,
            placeholder: "event.data.text.contains('STOP')",
            description:
              'Expression (CEL) over event that must be true; Clickrelay evaluates it before a workflow starts. Leave empty for every event.',
          },
          {
            displayName: 'Ignore Events Older Than (Minutes)',
            name: 'oldestMinutes',
            type: 'number',
            typeOptions: { minValue: 1 },
            default: 60,
            description:
              'Events that happened longer ago start nothing, and are done: after a day of standing still, nobody is answered who asked yesterday. Replayed events too.',
          },
          {
            displayName: 'Keep Order of Each Conversation',
            name: 'keepOrder',
            type: 'boolean',
            default: false,
            description:
              'Whether an event starts a workflow only after the previous one between the same two numbers is done. Other conversations do not wait.',
          },
          withoutRawProperty,
          {
            displayName: 'Time Limit (Minutes)',
            name: 'timeLimitMinutes',
            type: 'number',
            typeOptions: { minValue: 1, maxValue: 10_080 },
            default: 60,
            description: 'If a workflow has not ended after this time, its event counts as failed',
          },
        ],
      },
    ],
  };

  methods = {
    credentialTest: {
      async testClickrelay(this: ICredentialTestFunctions, credential: ICredentialsDecrypted) {
        return await testClickrelay(this, credential);
      },
    },
  };

  async trigger(this: ITriggerFunctions): Promise<ITriggerResponse> {
    // Read everything now: expressions cannot be evaluated once this function has returned.
    const options = this.getNodeParameter('options', {}) as IDataObject;
    const wanted = readWantedEvents(
      this.getNodeParameter('events', ['mo*']),
      this.getNodeParameter('statusClasses', []),
      options,
    );
    const acknowledge = this.getNodeParameter('acknowledge', 'success') as ConsumeOptions['acknowledge'];
    const isRetried = this.getNodeParameter('onFailure', 'retry') !== 'deadLetter';
    const mostTries = isRetried ? within(this.getNodeParameter('mostTries', 3), 1, 100, 3) : 1;
    const withoutRaw = options['withoutRaw'] === true;
    const destinationId = destinationIdOf(this, options['destinationId']);
    const { baseUrl = '' } = await this.getCredentials<{ baseUrl?: string }>('clickrelayApi');
    const where = { destinationId, baseUrl: baseUrl.trim().replace(/\/+$/, '') };
    const address = explainNoAnswer('', where.baseUrl, 'Clickrelay');
    if (address.isHopeless) {
      throw new NodeOperationError(this.getNode(), address.message, { description: address.description });
    }
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
          const item = await peekOnce(this, relay, { where, wanted, withoutRaw, signal: closing.signal });
          if (item !== undefined) this.emit([[item]]);
        },
        closeFunction: async () => closing.abort(),
      };
    }

    const isNamed = String(options['destinationId'] ?? '').trim() !== '';
    const memory = this.getWorkflowStaticData('node');
    const declare = async (): Promise<void> => {
      if (isNamed) await declareNamed(relay, declaration, memory);
      else await relay.declare(declaration);
    };
    let claimed: ReturnType<typeof claim> | undefined;
    let declared = false;
    try {
      claimed = claimFor(this, where, declaration);
      await declare();
      declared = true;
    } catch (error) {
      const failure = asRelayError(error);
      // Somebody looks on: a host that there is not is a mistake now, and an outage when n8n starts.
      const isMistaken = BY_A_PERSON.includes(this.getActivationMode()) && isUnknownHost(failure, where.baseUrl);
      if (!failure.isOutage || isMistaken) {
        claimed?.release();
        throw new NodeOperationError(this.getNode(), failure, explain(failure, where));
      }
      // Clickrelay is away for the moment; this trigger waits for it.
      this.logger.warn(`Clickatell Trigger: ${failure.message}; it goes on as soon as Clickrelay is back`);
    }

    const run = async (delivery: Delivery): Promise<Ending> => {
      const done = this.helpers.createDeferredPromise<IRun>();
      const item = toItem(delivery.event, { attempt: delivery.attempt, withoutRaw });
      // No deduplication key: n8n remembers the keys of crashed runs too, and would drop the event when it comes again.
      this.emit([[item]], undefined, done);
      return endingOf(await done.promise);
    };

    const consumer = consume({
      relay,
      declare,
      declared,
      concurrency: within(options['concurrency'], 1, 100, 5),
      acknowledge,
      mostTries,
      oldestMs: options['oldestMinutes'] ? Number(options['oldestMinutes']) * 60_000 : undefined,
      runLimitMs: within(options['timeLimitMinutes'], 1 / 60, 10_080, 60) * 60_000,
      run,
      log: logTo(this, where),
    });
    return {
      closeFunction: async () => {
        claimed?.release();
        await consumer.close();
      },
    };
  }
}

/** Activations that somebody waits for. */
const BY_A_PERSON: readonly string[] = ['activate', 'create', 'update'];

const isUnknownHost = ({ status, code = '' }: RelayError, baseUrl: string): boolean =>
  status === undefined && explainNoAnswer(code, baseUrl, 'Clickrelay').isDoubtful;

const claimFor = (n8n: ITriggerFunctions, { destinationId, baseUrl }: Where, declaration: Declaration) => {
  const { id, name } = n8n.getWorkflow();
  const mine = { owner: `${id}/${n8n.getNode().id}`, workflowName: name ?? String(id), declaration };
  return claim(`${baseUrl} ${destinationId}`, mine);
};

type Where = Parameters<typeof explain>[1];

/**
 * Logs for the operator of n8n. Never calls `emitError`, which would deactivate the workflow for an outage of
 * Clickrelay.
 */
const logTo = (n8n: ITriggerFunctions, where: Where): Log => {
  const { destinationId } = where;
  // Appears under Executions and runs the error workflow; the trigger stays active. n8n before 2.10 has it not.
  const tell = (message: string, description: string): void => {
    n8n.logger.error(`Clickatell Trigger: ${message}`, { destinationId });
    if (typeof n8n.saveFailedExecution !== 'function') return;
    n8n.saveFailedExecution(new NodeOperationError(n8n.getNode(), message, { description }));
  };
  let ignored = 0;
  return {
    ignored: (deliveryId) => {
      const message = `Clickatell Trigger: an event is too old, and done without a run; ${++ignored} so far`;
      n8n.logger.info(message, { deliveryId });
    },
    away: (error) => n8n.logger.warn(`Clickatell Trigger: ${error.message}; trying again`, { destinationId }),
    awayForLong: (error) => {
      const { message, description } = explain(error, where);
      tell(
        `Clickrelay has been away for more than a minute: ${message}`,
        `${description} Events wait there, and the trigger goes on as soon as it is back.`,
      );
    },
    back: (awayMs) => {
      n8n.logger.info('Clickatell Trigger: Clickrelay is back', { destinationId });
      if (awayMs === undefined) return;
      const minutes = Math.max(1, Math.round(awayMs / 60_000));
      tell(`Clickrelay is back after ${minutes} minutes`, 'Nothing to do: the events that waited there start now.');
    },
    refused: (error) => {
      const { message, description } = explain(error, where);
      tell(message, `${description} The trigger tries again until this is mended.`);
    },
    note: (message, deliveryId) => n8n.logger.info(`Clickatell Trigger: ${message}`, { deliveryId }),
  };
};

const within = (value: unknown, lowest: number, highest: number, otherwise: number): number => {
  const number = Number(value ?? otherwise);
  return Number.isFinite(number) ? Math.min(highest, Math.max(lowest, number)) : otherwise;
};
