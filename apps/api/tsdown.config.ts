import { application, RUNS_TRANSFORMS } from '../../tsdown.base.ts';

// The API serves the console from beside its own file.
export default {
  ...application,
  entry: { ...application.entry, ...RUNS_TRANSFORMS },
  copy: [{ from: '../console/dist', rename: 'console' }],
};
