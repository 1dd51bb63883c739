export type { Behaviour, OtherSide } from './other-side.ts';
export { type AdapterContract, type DeclareTest, testAdapter } from './test-adapter.ts';
