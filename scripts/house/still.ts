/** What is known to break a rule of the house today. It shrinks to nothing. */
export const STILL: Readonly<Record<string, readonly string[]>> = {
  exports: ['packages/queue/src/index.ts'],
  circles: ['packages/queue/src/intake/commit.ts packages/queue/src/intake/reserve-fact.ts'],
  longFiles: [
    'apps/receiver/test/spool.test.ts',
    'packages/queue/src/deliveries/dead-letters.test.ts',
    'packages/queue/src/log/append.test.ts',
    'packages/queue/src/log/retention.test.ts',
    'packages/queue/src/spool/spool.test.ts',
    'packages/queue/src/spool/spool.ts',
  ],
  longFunctions: [
    'packages/core/src/sample-events.test.ts a function without a name',
    'packages/n8n-nodes-clickatell/test/fake-relay.mts startFakeRelay',
    'packages/queue/src/spool/spool.ts openSpool',
  ],
  complexFunctions: [
    'packages/queue/src/redis/durability.ts judgeDurability',
    'packages/queue/src/replays/choose-deliveries.ts chooseNamed',
  ],
  declaredFunctions: [
    'apps/receiver/src/authenticate.ts refuse',
    'apps/receiver/src/config.ts splitList',
    'apps/receiver/src/config.ts parsePathPrefix',
    'apps/receiver/src/inflate.ts hasHeader',
    'apps/receiver/test/attack-process.ts send',
    'packages/queue/src/intake/drain-spool.ts keepDraining',
    'proofs/n8n/src/global-setup.ts setup',
  ],
};
