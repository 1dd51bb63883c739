import { whenKnown } from '../known.ts';
import { fully } from '../reach.ts';
import type { Rule } from '../rule.ts';
import { because, duration } from '../words.ts';

export const channelFailing: Rule = {
  code: 'channel_failing',
  kind: 'channel',
  levels: [{ severity: 'warning' }],
  when: 'At once, when a channel of alerts has taken none of three tries; until it takes one.',
  about: 'Alerts do not arrive there; the other channels are told. `clickrelay alerts test` shows what it answers.',
  look: ({ channels }, nowMs) =>
    whenKnown(channels, (all) =>
      all.flatMap(({ id, failingSince, lastErrorCode }) => {
        if (failingSince === null) return [];
        const forHow = duration(nowMs - failingSince);
        const sentence = `the channel ${id} has taken no alert for ${forHow}${because(lastErrorCode)}`;
        const mend = { text: 'see what it answers', command: `clickrelay alerts test ${id}` };
        return [{ id, ...fully('warning'), sinceMs: failingSince, count: 0, sentence, mend }];
      }),
    ),
};
