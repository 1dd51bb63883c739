import type { IDataObject } from 'n8n-workflow';
import { RelayError } from '../shared/call-relay.ts';
import type { Declaration, Relay } from './relay.ts';
import { asRelayError } from './run-delivery.ts';

/** A trigger of this n8n that is active. */
interface Claim {
  /** Workflow and node. */
  readonly owner: string;
  readonly workflowName: string;
  readonly declaration: Declaration;
}

/** The claims of this process, by Clickrelay and destination: n8n runs all its triggers in one. */
const claims = new Map<string, Map<string, Claim>>();

/**
 * Notes that a trigger uses a destination, until it is released.
 *
 * @throws {RelayError} when a trigger of another workflow uses it with other settings
 */
export const claim = (place: string, mine: Claim): { readonly release: () => void } => {
  const there = claims.get(place) ?? new Map<string, Claim>();
  for (const other of there.values()) {
    if (other.owner === mine.owner) continue;
    const differing = differences(other.declaration, mine.declaration);
    if (differing.length === 0) continue;
    const message = `the workflow “${other.workflowName}” uses it with other settings: ${differing.join('; ')}`;
    throw new RelayError(message, 409, 'destination_exists');
  }
  there.set(mine.owner, mine);
  claims.set(place, there);
  return {
    release: () => {
      // A newer activation of the same node may have taken the place.
      if (there.get(mine.owner) === mine) there.delete(mine.owner);
      if (there.size === 0) claims.delete(place);
    },
  };
};

const NAMES = { events: 'Events', channels: 'Channels', classes: 'Statuses', filter: 'Filter', ordering: 'Keep Order' };

const differences = (there: Declaration, here: Declaration): string[] =>
  (Object.keys(NAMES) as Array<keyof typeof NAMES>)
    .filter((name) => JSON.stringify(there[name]) !== JSON.stringify(here[name]))
    .map((name) => `${NAMES[name]} is ${wordOf(there[name])} there, and ${wordOf(here[name])} here`);

const wordOf = (value: Declaration[keyof Declaration]): string =>
  value === undefined || value.length === 0 ? 'not set' : typeof value === 'string' ? value : value.join(', ');

/**
 * Makes the destination. One whose name a person chose may be somebody else's: its settings are replaced only if they
 * are those that this node gave it last, as `memory` knows.
 *
 * @throws {RelayError} 409 `destination_exists` when it is there with other settings
 */
export const declareNamed = async (relay: Relay, declaration: Declaration, memory: IDataObject): Promise<void> => {
  const refused = async (error: unknown): Promise<RelayError> => asRelayError(error);
  let settings = await relay.declare(declaration, { onlyNew: true }).catch(refused);
  if (settings instanceof RelayError && settings.code === 'destination_exists') {
    const there = await relay.read();
    if (memory['declared'] === there) settings = await relay.declare(declaration);
  }
  if (settings instanceof RelayError) throw settings;
  memory['declared'] = settings;
};
