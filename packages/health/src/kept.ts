import type { Verdict } from './condition.ts';
import type { Acknowledgements, Memories, Memory } from './judge.ts';

/* What is remembered between two looks, as texts in Redis. What another version wrote, and cannot be read, is forgotten. */

type Texts = Readonly<Record<string, string>>;

export interface Kept {
  readonly memories: Memories;
  readonly acknowledged: Acknowledgements;
  readonly verdict: Verdict | undefined;
  /** The memories as they stand. */
  readonly texts: Texts;
}

export const textsOf = (memories: Memories): Texts =>
  Object.fromEntries([...memories].map(([place, memory]) => [place, JSON.stringify(memory)]));

export const parseKept = (read: { conditions: Texts; acknowledged: Texts; verdict: string | null }): Kept => ({
  memories: parseAll<Memory>(read.conditions),
  acknowledged: parseAll(read.acknowledged),
  verdict: read.verdict === null ? undefined : parse<Verdict>(read.verdict),
  texts: read.conditions,
});

const parseAll = <T>(texts: Texts): ReadonlyMap<string, T> =>
  new Map(
    Object.entries(texts).flatMap(([place, text]) => {
      const value = parse<T>(text);
      return value === undefined ? [] : [[place, value] as const];
    }),
  );

const parse = <T>(text: string): T | undefined => {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
};
