import { callbackCases } from './callbacks.ts';
import type { Cases } from './case.ts';
import { clusterCases } from './cluster.ts';
import { channelCases, destinationCases } from './destinations.ts';
import { keptCases } from './kept.ts';
import { partCases } from './parts.ts';
import { receiverCases } from './receivers.ts';
import { redisCases } from './redis.ts';
import { sendingCases } from './sending.ts';
import { setupCases } from './setup.ts';

export const CASES: Cases = {
  ...redisCases,
  ...clusterCases,
  ...partCases,
  ...receiverCases,
  ...callbackCases,
  ...setupCases,
  ...keptCases,
  ...sendingCases,
  ...destinationCases,
  ...channelCases,
};
