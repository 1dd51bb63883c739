/**
 * What every project of `vitest.config.ts` says for itself, because none inherits it. A project that names no `maxWorkers`
 * gets one less than there are cores, and on a machine with two of them its files would run one after the other.
 */
export const shared = {
  /** In ms. Tests bound what they wait for; this is for machines on which all of it takes ten times as long. */
  testTimeout: 180_000,
  hookTimeout: 180_000,
  // `expect.poll` waits for a state; a second, its default, is soon gone on a busy machine.
  expect: { poll: { timeout: 60_000 } },
  // Many tests start a Redis, a receiver or the whole of Clickrelay: leave them the machine.
  maxWorkers: 2,
  // A process for each file would load the same modules hundreds of times, which took a third of the whole. So a file
  // leaves nothing behind: what it changes in its process, it puts back.
  isolate: false,
  // Built packages are loaded as they are.
  server: { deps: { external: [/\/dist\/.*\.js$/] as RegExp[] } },
} as const;

/** For tests that run scripts in Redis: each script is held to the keys that it declares. */
export const guarded = {
  ...shared,
  setupFiles: [new URL('packages/queue/test/guard-scripts.ts', import.meta.url).pathname],
};
