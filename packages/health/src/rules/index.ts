import type { Rule } from '../rule.ts';
import { callbackRules } from './callbacks.ts';
import { channelFailing } from './channels.ts';
import { clusterRules } from './cluster.ts';
import { destinationRules } from './destinations.ts';
import { diskLow } from './disks.ts';
import { keptRules } from './kept.ts';
import { partRules } from './parts.ts';
import { receiverRules } from './receivers.ts';
import { redisRules } from './redis.ts';
import { sendingRules } from './sending.ts';
import { setupRules } from './setup.ts';
import { silence } from './silence.ts';

/** By what they are about, in the order of docs/conditions.md. */
export const GROUPS: readonly (readonly [title: string, rules: readonly Rule[]])[] = [
  ['Redis', redisRules],
  ['A Redis Cluster', clusterRules],
  ['Processes and machines', [...partRules, diskLow]],
  ['Receivers and their spools', receiverRules],
  ['Callbacks', [...callbackRules, silence]],
  ['How Clickatell comes in', setupRules],
  ['What is kept', keptRules],
  ['Sending to destinations', sendingRules],
  ['Destinations', destinationRules],
  ['Alerts', [channelFailing]],
];

/** Every condition that there is. */
export const RULES: readonly Rule[] = GROUPS.flatMap(([, rules]) => rules);
