import { application, RUNS_TRANSFORMS } from '../../tsdown.base.ts';

export default {
  ...application,
  entry: { ...application.entry, ...RUNS_TRANSFORMS, 'split-thread': 'src/split-thread.ts' },
};
