import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { isEvent } from '../shared/item.ts';

/** Why a message is sent. */
export interface Occasion {
  /** The event that the item comes from; undefined where there is none, or where n8n cannot tell which. */
  readonly event: IDataObject | undefined;
  /** Whether a Clickatell trigger stands before this node. */
  readonly hasTrigger: boolean;
  /** Whether Clickrelay holds the events of such a trigger, and so hands them out again. */
  readonly isRelayed: boolean;
}

const TRIGGER_TYPE = /\.clickatell(Webhook)?Trigger$/;
const RELAYED_TYPE = /\.clickatellTrigger$/;

/**
 * Finds the event of an item: the item itself, or what a Clickatell trigger gave, whatever nodes stand in between and
 * whatever the trigger is called.
 */
export const findOccasion = (n8n: IExecuteFunctions, itemIndex: number): Occasion => {
  const triggers = triggersBefore(n8n);
  const known = { hasTrigger: triggers.size > 0, isRelayed: [...triggers.values()].some(isRelayedType) };
  const given = n8n.getInputData()[itemIndex]?.json;
  if (isEvent(given)) return { event: given, ...known };
  for (const name of triggers.keys()) {
    const event = eventOf(n8n, itemIndex, name);
    if (event !== undefined) return { event, ...known };
  }
  return { event: undefined, ...known };
};

const isRelayedType = (type: string): boolean => RELAYED_TYPE.test(type);

/** Their types by their names. */
const triggersBefore = (n8n: IExecuteFunctions): Map<string, string> => {
  // As a tool of an AI agent this node has no input of its own: what stands before the agent stands before it.
  const caller = attempt(() => n8n.getInputSourceData()?.previousNode);
  const starts = [n8n.getNode().name, ...(caller === undefined ? [] : [caller])];
  const before = starts.flatMap((start) => attempt(() => n8n.getParentNodes(start)) ?? []);
  return new Map(before.filter(({ type }) => TRIGGER_TYPE.test(type)).map(({ name, type }) => [name, type]));
};

/** The paired item of a trigger; where a node in between broke the pairing, the trigger's only item. */
const eventOf = (n8n: IExecuteFunctions, itemIndex: number, trigger: string): IDataObject | undefined => {
  const from = attempt(() => n8n.getWorkflowDataProxy(itemIndex).$(trigger));
  const paired = attempt(() => from.item?.json as unknown);
  if (isEvent(paired)) return paired;
  const all = attempt(() => from.all() as Array<{ json?: unknown }>) ?? [];
  const only = all.length === 1 ? all[0]?.json : undefined;
  return isEvent(only) ? only : undefined;
};

/** n8n throws where a node did not run, or where it lost the pairing. */
const attempt = <T>(ask: () => T): T | undefined => {
  try {
    return ask();
  } catch {
    return undefined;
  }
};
