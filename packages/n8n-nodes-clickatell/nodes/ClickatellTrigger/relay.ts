import type { Event } from '@clickrelay/core';
import type { IDataObject, IHttpRequestMethods, ITriggerFunctions } from 'n8n-workflow';
import { type CallOptions, callRelay, RelayError } from '../shared/call-relay.ts';

/** An event leased to us for a time. */
export interface Delivery {
  readonly deliveryId: string;
  readonly leaseToken: string;
  /** Counted from 1. */
  readonly attempt: number;
  readonly event: Event;
}

/** An event that was shown but not leased. */
interface Peeked {
  readonly attempt: number;
  readonly event: Event;
}

/** The settings with which we declare a pull destination. */
export interface Declaration {
  readonly events: readonly string[];
  readonly channels: readonly string[];
  readonly classes: readonly string[];
  /** An expression over `event`, which Clickrelay evaluates. */
  readonly filter?: string;
  /** Events of the same two parties come one after the other. */
  readonly ordering?: 'conversation';
}

/** The calls of Clickrelay that the trigger makes. Each throws a `RelayError` unless it succeeds. */
export interface Relay {
  /** Adds or replaces the destination; returns its settings as a text to compare. */
  declare(declaration: Declaration, how?: { readonly onlyNew: boolean }): Promise<string>;
  /** Returns the settings of the destination, as `declare` does. */
  read(): Promise<string>;
  lease(ask: { max: number; waitMs: number; leaseMs: number }, signal: AbortSignal): Promise<Delivery[]>;
  ack(delivery: Delivery): Promise<void>;
  nack(delivery: Delivery, reason: { error: string; retry: boolean }): Promise<void>;
  extend(delivery: Delivery, leaseMs: number): Promise<void>;
  peek(): Promise<Peeked | undefined>;
}

/** How late the answer to a lease may be before the connection counts as dead. */
const LATE_MS = 3_000;

/** Calls Clickrelay's API for one pull destination, with the credential of the trigger node. */
export const connectRelay = (n8n: ITriggerFunctions, destinationId: string): Relay => {
  const path = `/v1/destinations/${encodeURIComponent(destinationId)}`;

  const call = (method: IHttpRequestMethods, url: string, more?: CallOptions): Promise<IDataObject> =>
    callRelay(n8n, method, url, more);

  const settle = ({ deliveryId, leaseToken }: Delivery): IDataObject => ({ deliveryId, leaseToken });

  return {
    async declare({ events, channels, classes, filter, ordering }, { onlyNew } = { onlyNew: false }) {
      // Empty ones are left out, for a relay that does not know them yet.
      const body = {
        type: 'pull',
        events: [...events],
        ...(channels.length > 0 && { channels: [...channels] }),
        ...(classes.length > 0 && { classes: [...classes] }),
        ...(filter !== undefined && { filter }),
        ...(ordering !== undefined && { ordering }),
      };
      return settingsOf(await call('PUT', onlyNew ? `${path}?onlyNew=true` : path, { body }));
    },
    async read() {
      return settingsOf(await call('GET', path));
    },
    async lease({ max, waitMs, leaseMs }, signal) {
      const answer = await call('POST', `${path}/lease`, {
        body: { max, waitMs, leaseMs },
        timeoutMs: waitMs + LATE_MS,
        signal,
      });
      if (!Array.isArray(answer['deliveries'])) {
        throw new RelayError('what answers at the base URL is not Clickrelay', 200, 'not_clickrelay');
      }
      return deliveriesOf(answer) as Delivery[];
    },
    async ack(delivery) {
      await call('POST', `${path}/ack`, { body: settle(delivery) });
    },
    async nack(delivery, { error, retry }) {
      await call('POST', `${path}/nack`, { body: { ...settle(delivery), error: error.slice(0, 1000), retry } });
    },
    async extend(delivery, leaseMs) {
      await call('POST', `${path}/extend`, { body: { ...settle(delivery), leaseMs } });
    },
    async peek() {
      const answer = await call('GET', `${path}/peek?limit=1&recent=true`);
      return deliveriesOf(answer)[0] as Peeked | undefined;
    },
  };
};

/** What the API adds to what somebody declared. */
const STATE = ['paused', 'held', 'revision', 'warnings'];

/** What somebody declared, without the state. */
const settingsOf = (destination: IDataObject): string =>
  JSON.stringify(
    Object.entries(destination)
      .filter(([name]) => !STATE.includes(name))
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  );

const deliveriesOf = (answer: IDataObject): unknown[] =>
  Array.isArray(answer['deliveries']) ? answer['deliveries'] : [];
