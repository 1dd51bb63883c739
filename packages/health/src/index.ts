export { atLeast, isAboutConnecting, isRaised, mustBeSeen, untold } from './choose.ts';
export * from './condition.ts';
export * from './facts.ts';
export { createGatherer } from './gather/gather-facts.ts';
export type { Sources } from './gather/sources.ts';
export {
  type Acknowledgements,
  type Judged,
  type JudgeInput,
  judge,
  type Memories,
  type Memory,
  memoryKey,
  needsSomebody,
} from './judge.ts';
export { judgeReceiver } from './judge-receiver.ts';
export { isUnknown, type Known, type Unknown } from './known.ts';
export type { Blind, Level, Rule, Sighting } from './rule.ts';
export { GROUPS, RULES } from './rules/index.ts';
export { type HealthWatch, judgeOnce, type WatchOptions, watchHealth } from './watch.ts';
