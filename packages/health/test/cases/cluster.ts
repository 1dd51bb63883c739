import { but, cluster, lanes, MINUTE, NOW, SECOND } from '../healthy.ts';
import { type Cases, WHY } from './case.ts';

const waiting = (ageMs: number) => ({ groups: 12, oldestGroupAt: NOW - ageMs });
const moving = { movingSlots: 1, stuckSince: null, isDown: false };

export const clusterCases: Cases = {
  slots_moving: {
    'a single server': but({ cluster: null }),
    none: cluster({}),
    '1 slot': cluster({ movingSlots: 1 }),
    '12 slots': cluster({ movingSlots: 12 }),
    unknown: but({ cluster: WHY }),
  },
  slot_stuck: {
    'keys move': cluster({ movingSlots: 3 }),
    '1 slot for 59 s': cluster({ movingSlots: 1, stuckSince: NOW - 59 * SECOND }),
    '2 slots for 5 minutes': cluster({ movingSlots: 2, stuckSince: NOW - 5 * MINUTE }),
    unknown: but({ cluster: WHY }),
  },
  cluster_down: {
    up: cluster({}),
    down: cluster({ isDown: true }),
    unknown: but({ cluster: WHY }),
  },
  routing_stuck: {
    '10 s': lanes(waiting(10 * SECOND), {}, { cluster: moving }),
    '11 s': lanes(waiting(11 * SECOND), {}, { cluster: moving }),
    '29 s': lanes(waiting(29 * SECOND), {}, { cluster: moving }),
    '30 s': lanes(waiting(30 * SECOND), {}, { cluster: moving }),
    '30 s in both lanes': lanes(waiting(30 * SECOND), waiting(MINUTE), { cluster: moving }),
    '5 minutes while the Cluster is down': lanes({}, waiting(5 * MINUTE), {
      cluster: { ...moving, movingSlots: 0, isDown: true },
    }),
    '5 minutes while no slot is open: a worker is behind': lanes(
      waiting(5 * MINUTE),
      {},
      {
        cluster: { ...moving, movingSlots: 0 },
      },
    ),
    '5 minutes on a single server': lanes(waiting(5 * MINUTE), {}),
    'of unknown age': lanes({ groups: 1 }, {}, { cluster: moving }),
    'lanes unknown': cluster(moving, { lanes: WHY }),
    'Cluster unknown': but({ cluster: WHY }),
  },
};
