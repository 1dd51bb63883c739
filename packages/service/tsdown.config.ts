import type { UserConfig } from 'tsdown';
import { library } from '../../tsdown.base.ts';

// Entries of their own: a thread that parses callbacks has no use for the settings.
const config: UserConfig = {
  ...library,
  entry: {
    machine: 'src/machine/index.ts',
    settings: 'src/settings/index.ts',
    thread: 'src/thread/index.ts',
    tracing: 'src/tracing/index.ts',
  },
};
export default config;
