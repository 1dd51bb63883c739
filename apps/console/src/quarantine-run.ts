import { useRef, useState } from 'preact/hooks';
import { say } from './parts/live-region.tsx';
import { call } from './session.ts';
import { wordsOf } from './words.ts';

/* Work on many quarantined callbacks, a part in each request: it shows how far it is, pauses between two, and goes on. */

/** All with this reason but those left out, so that a choice works over any number of pages. */
export interface ChosenQuarantined {
  readonly reason: string | undefined;
  readonly except: readonly string[];
}

export interface QuarantinePlanned {
  readonly matched: number;
  readonly bytes: number;
  readonly oldest: string | null;
  readonly until: string;
  readonly readable: number;
}

export interface QuarantineRun {
  readonly what: 'parse' | 'delete';
  readonly total: number;
  readonly done: number;
  readonly parsed: number;
  readonly unreadable: number;
  readonly state: 'running' | 'paused' | 'over';
}

/** Looked at in one request: a pause waits for it. */
const AT_ONCE = 100;

export const bodyOf = ({ reason, except }: ChosenQuarantined) => ({
  ...(reason !== undefined && { reason }),
  ...(except.length > 0 && { except: [...except] }),
});

type Step = () => Promise<QuarantineRun>;

const parseSteps = (chosen: ChosenQuarantined, { matched, until }: QuarantinePlanned): Step => {
  let after = 0;
  let now: QuarantineRun = { what: 'parse', total: matched, done: 0, parsed: 0, unreadable: 0, state: 'running' };
  return async () => {
    const answer = await call('POST /v1/quarantine/reparse', {
      body: { ...bodyOf(chosen), until, limit: AT_ONCE, after },
    });
    after = answer.after ?? after;
    const [parsed, unreadable] = [now.parsed + answer.parsed, now.unreadable + answer.unreadable];
    now = { ...now, parsed, unreadable, done: parsed + unreadable, state: answer.after === null ? 'over' : 'running' };
    return now;
  };
};

const removeSteps = (chosen: ChosenQuarantined, { matched, until }: QuarantinePlanned, why: string): Step => {
  let expected = matched;
  let now: QuarantineRun = { what: 'delete', total: matched, done: 0, parsed: 0, unreadable: 0, state: 'running' };
  return async () => {
    const { removed, left } = await call('POST /v1/quarantine/remove', {
      body: { ...bodyOf(chosen), until, limit: AT_ONCE, expected, ...(why !== '' && { why }) },
    });
    expected = left;
    now = { ...now, done: now.done + removed, state: left === 0 ? 'over' : 'running' };
    return now;
  };
};

/** @param onChange called when it is over, or pauses */
export const useQuarantineRun = (chosen: ChosenQuarantined, onChange: () => void) => {
  const [run, setRun] = useState<QuarantineRun>();
  const [failure, setFailure] = useState<string>();
  const [isGoing, setGoing] = useState(false);
  const goes = useRef(false);
  const step = useRef<Step>(undefined as unknown as Step);

  const pause = (): void => {
    goes.current = false;
  };
  const goOn = async (): Promise<void> => {
    goes.current = true;
    setGoing(true);
    setFailure(undefined);
    try {
      while (goes.current) {
        const now = await step.current();
        const isOver = now.state === 'over';
        if (isOver) goes.current = false;
        setRun(goes.current || isOver ? now : { ...now, state: 'paused' });
        if (isOver) say('Done');
      }
    } catch (refused) {
      goes.current = false;
      setFailure(wordsOf(refused));
      setRun((before) => before && { ...before, state: 'paused' });
    }
    setGoing(false);
    onChange();
  };
  const begin = (next: Step, first: QuarantineRun): void => {
    step.current = next;
    setRun(first);
    void goOn();
  };
  const first = { done: 0, parsed: 0, unreadable: 0, state: 'running' } as const;
  return {
    run,
    failure,
    isGoing,
    pause,
    goOn,
    parse: (plan: QuarantinePlanned) =>
      begin(parseSteps(chosen, plan), { ...first, what: 'parse', total: plan.matched }),
    remove: (plan: QuarantinePlanned, why: string) =>
      begin(removeSteps(chosen, plan, why), { ...first, what: 'delete', total: plan.matched }),
  };
};
