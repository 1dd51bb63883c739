import { luaTable } from '../redis/script.ts';

/* About deliveries. It is here because retention asks for their states, and rooms import downwards only. */

/** The states of a delivery, and the letter that stands for each in the hash beside its event. */
export const STATE_LETTERS = {
  pending: 'q',
  delivered: 'd',
  dead_letter: 'x',
  /** A dead letter that a person removed: no longer a delivery, and not missing either. */
  given_up: 'r',
} as const;

export type KeptState = keyof typeof STATE_LETTERS;

const STATES = new Map(Object.entries(STATE_LETTERS).map(([state, letter]) => [letter as string, state as KeptState]));

/** @returns undefined when nothing is kept of the delivery */
export const stateOf = (letter: string | null | undefined): KeptState | undefined => STATES.get(letter ?? '');

/** For scripts: `STATE.pending` and the others. */
export const STATE_LUA = luaTable('STATE', STATE_LETTERS);
