import { matchesEventType } from '@clickrelay/core';
import { listDestinations } from '@clickrelay/queue';
import { waitUntil } from '@clickrelay/testkit';
import type { Taker } from './destination.ts';
import { countOpen, type Rig, readDeadLetters, readIngest, readLogged, readPending } from './rig.ts';
import type { Run } from './run.ts';

export interface AccountOptions {
  /** How long to wait until everything has ended, in ms. @default 180000 */
  readonly patienceMs?: number;
  /** Allows dead letters, which otherwise are failures. @default false */
  readonly mayDie?: boolean;
  /** Allows events that still wait at the end, for instance for a paused destination. @default false */
  readonly mayWait?: boolean;
  /** Allows lost events, as this durability promises no more. @default false */
  readonly mayLose?: boolean;
  /** Events of one record that the spool set aside: damaged, so that a person has to look. @default none */
  readonly setAside?: ReadonlySet<string>;
  /** Events acknowledged before a fault that takes them: nothing keeps what Redis itself is made to forget. @default none */
  readonly forgiven?: ReadonlySet<string>;
  /** Destinations beside those of the rig. */
  readonly others?: readonly Taker[];
}

/**
 * Ends a run: waits until nothing is under way, then compares the acknowledged events with what became of them. The
 * faults must be over by now.
 */
export const account = async (
  run: Run,
  rig: Rig,
  {
    patienceMs = 180_000,
    mayDie = false,
    mayWait = false,
    mayLose = false,
    setAside = new Set(),
    forgiven = new Set(),
    others = [],
  }: AccountOptions = {},
): Promise<void> => {
  const { ledger } = rig;
  const wanted = (await listDestinations(rig.store)).map(({ id, events }) => {
    const destination = [...rig.destinations, ...others].find((one) => one.id === id);
    if (destination === undefined) throw new Error(`${id} is no destination of this run`);
    return {
      destination,
      wants: (sentId: string) =>
        events.some((pattern) => matchesEventType(pattern, ledger.sent.get(sentId)?.type ?? '')),
    };
  });
  /** Events that a destination should have accepted but has not. */
  const open = () =>
    wanted.map(({ destination, wants }) => {
      const accepted = destination.accepted();
      return {
        destination,
        missing: [...ledger.acknowledged].filter(
          (id) => wants(id) && !accepted.has(id) && !setAside.has(id) && !forgiven.has(id),
        ),
      };
    });

  if (!mayWait) {
    await waitUntil(
      async () => (await countOpen(rig.store)) === 0 && (mayDie || open().every(({ missing }) => missing.length === 0)),
      { timeoutMs: patienceMs, everyMs: 50 },
    ).catch(() => {
      // Anything still missing is counted and reported below.
    });
  }

  const spooled = await rig.spooled().catch((error: Error) => error.message);
  run.check(spooled === (setAside.size > 0 ? 1 : 0), `the spool still holds ${spooled}`);
  // Look in the order that events move in: an event that moves on between two looks is seen by the second.
  const ingest = await readIngest(rig.store);
  const logged = await readLogged(rig.store);
  const lost = new Set<string>();
  for (const { destination } of wanted) {
    const pending = await readPending(rig.store, destination.id);
    const dead = await readDeadLetters(rig.store, destination.id);
    const missing = open().find((one) => one.destination === destination)?.missing ?? [];
    let [died, waiting] = [0, 0];
    for (const sentId of missing) {
      const eventIds = logged.get(sentId) ?? [];
      if (eventIds.some((id) => dead.has(id))) died++;
      else if (eventIds.some((id) => pending.has(id)) || ingest.includes(sentId)) waiting++;
      else lost.add(sentId);
    }
    run.check(mayDie || died === 0, `${died} deliveries to ${destination.id} became dead letters`);
    run.check(mayWait || waiting === 0, `${waiting} deliveries to ${destination.id} still wait after ${patienceMs} ms`);
    for (const problem of destination.wrong.slice(0, 5)) run.check(false, problem);
    for (const [, times] of destination.accepted()) run.result.repeated += times - 1;
  }
  run.result.lost += lost.size;
  run.check(mayLose || lost.size === 0, `lost: ${[...lost].slice(0, 5).join(', ')}${lost.size > 5 ? ', …' : ''}`);

  const unsent = [...logged.keys()].filter((sentId) => !ledger.sent.has(sentId));
  run.check(unsent.length === 0, `${unsent.length} events in the log were never sent`);
  const split = [...logged.values()].filter((eventIds) => eventIds.length > 1);
  run.check(split.length === 0, `${split.length} sent events became more than one`);
  if (run.result.failures.length === 0) return;
  for (const [name, part] of Object.entries({ receiver: rig.receiver, worker: rig.worker })) {
    for (const line of part.output().trim().split('\n').slice(-8)) run.step(`${name}: ${line.slice(0, 300)}`);
  }
};
