import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { isEvent } from '../shared/item.ts';

/** Why a message is sent. */
export interface Occasion {
  /** The event that the item comes from; undefined where there is none, or where n8n cannot tell which. */
  readonly event: IDataObject | undefined;
  /** Whether a Clickatell trigger stands before this node. */
  readonly hasTrigger: boolean;
}

const TRIGGER_TYPE = /\.clickatell(Webhook)?Trigger$/;

/**
 * Finds the event of an item: the item itself, or what a Clickatell trigger gave, whatever nodes stand in between and
 * whatever the trigger is called.
 */
export const findOccasion = (n8n: IExecuteFunctions, itemIndex: number): Occasion => {
  const triggers = triggersBefore(n8n);
  const given = n8n.getInputData()[itemIndex]?.json;
  if (isEvent(given)) return { event: given, hasTrigger: triggers.length > 0 };
  for (const name of triggers) {
    const event = eventOf(n8n, itemIndex, name);
    if (event !== undefined) return { event, hasTrigger: true };
  }
  return { event: undefined, hasTrigger: triggers.length > 0 };
};

const triggersBefore = (n8n: IExecuteFunctions): string[] => {
  // As a tool of an AI agent this node has no input of its own: what stands before the agent stands before it.
  const caller = attempt(() => n8n.getInputSourceData()?.previousNode);
  const starts = [n8n.getNode().name, ...(caller === undefined ? [] : [caller])];
  const before = starts.flatMap((start) => attempt(() => n8n.getParentNodes(start)) ?? []);
  return [...new Set(before.filter(({ type }) => TRIGGER_TYPE.test(type)).map(({ name }) => name))];
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
