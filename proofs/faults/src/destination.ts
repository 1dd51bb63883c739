import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { fairNow, type ReceivedRequest, startDestination } from '@clickrelay/testkit';
import { Webhook } from 'standardwebhooks';
import type { Ledger } from './ledger.ts';

/** How the destination answers one request. */
interface Behaviour {
  readonly status: number;
  readonly headers?: Record<string, string>;
  /** @default 0 */
  readonly delayMs?: number;
}
type Behave = (request: Arrival, count: number) => Behaviour | 'hang' | 'reset';

/** One request that came in. */
interface Arrival {
  readonly sentId: string;
  readonly webhookId: string;
  /** Epoch ms. */
  readonly at: number;
  /** The same time in ms of `fairNow`. */
  readonly fairAt: number;
  /** When the sender received a 2xx answer; undefined when it did not, or has not so far. */
  acceptedAt?: number;
}

/** Where events go, as the account sees it. */
export interface Taker {
  readonly id: string;
  /** The events it has accepted, and how often. */
  accepted(): ReadonlyMap<string, number>;
  /** Requests that should never have arrived: not sent, altered, badly signed, one event under two ids. */
  readonly wrong: readonly string[];
}

/** A webhook destination that compares everything it receives with what was sent. */
export interface CheckingDestination extends Taker {
  readonly url: string;
  /** Signing secrets, one of which must match. */
  secrets: string[];
  readonly arrivals: readonly Arrival[];
  /** The requests for one event, oldest first. */
  arrivalsOf(sentId: string): readonly Arrival[];
  /** The most requests under way at once since the last `behave`. */
  mostAtOnce(): number;
  behave(behave: Behave | Behaviour | 'hang' | 'reset'): void;
  close(): Promise<void>;
}

const FIRST_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

export const startCheckingDestination = async (id: string, ledger: Ledger): Promise<CheckingDestination> => {
  const arrivals: Arrival[] = [];
  const bySentId = new Map<string, Arrival[]>();
  const wrong: string[] = [];
  let behave: Behave = () => ({ status: 200 });
  let atOnce = 0;
  let mostAtOnce = 0;
  let secrets = [FIRST_SECRET];

  /** Whether the request was expected; records what is wrong with it. */
  const check = ({ body, headers, at }: ReceivedRequest): Arrival => {
    const webhookId = String(headers['webhook-id']);
    const isSigned = secrets.some((secret) => {
      try {
        new Webhook(secret).verify(body, headers as Record<string, string>);
        return true;
      } catch {
        return false;
      }
    });
    if (!isSigned) wrong.push(`${id} got ${webhookId} with a signature of none of its secrets`);
    const event = JSON.parse(body) as { raw: Record<string, unknown> };
    const sentId = String(event.raw['messageId']);
    const sentEvent = ledger.sent.get(sentId);
    if (sentEvent === undefined) wrong.push(`${id} got ${webhookId}, which was never sent`);
    else if (!isDeepStrictEqual(event.raw, sentEvent.raw))
      wrong.push(`${id} got ${webhookId} with another raw than was sent`);
    const [first] = bySentId.get(sentId) ?? [];
    if (first !== undefined && first.webhookId !== webhookId) {
      wrong.push(`${id} got one event as ${first.webhookId} and as ${webhookId}`);
    }
    return { sentId, webhookId, at, fairAt: fairNow() };
  };

  const local = await startDestination({
    answer: async (request) => {
      const arrival = check(request);
      arrivals.push(arrival);
      bySentId.set(arrival.sentId, [...(bySentId.get(arrival.sentId) ?? []), arrival]);
      const answer = behave(arrival, arrivals.length - 1);
      if (answer === 'hang' || answer === 'reset') return answer;
      mostAtOnce = Math.max(mostAtOnce, ++atOnce);
      if (answer.delayMs) await sleep(answer.delayMs);
      atOnce--;
      const isAccepted = answer.status >= 200 && answer.status < 300 && !request.isAbandoned();
      if (isAccepted) arrival.acceptedAt = Date.now();
      return { status: answer.status, headers: answer.headers ?? {} };
    },
  });

  return {
    id,
    url: `${local.url}hook`,
    get secrets() {
      return secrets;
    },
    set secrets(live) {
      secrets = live;
    },
    arrivals,
    arrivalsOf: (sentId) => bySentId.get(sentId) ?? [],
    accepted: () => {
      const counts = new Map<string, number>();
      for (const { sentId, acceptedAt } of arrivals) {
        if (acceptedAt !== undefined) counts.set(sentId, (counts.get(sentId) ?? 0) + 1);
      }
      return counts;
    },
    mostAtOnce: () => mostAtOnce,
    wrong,
    behave: (next) => {
      behave = typeof next === 'function' ? next : () => next;
      mostAtOnce = atOnce;
    },
    close: () => local.close(),
  };
};
