import type { UserConfig } from 'tsdown';
import { library } from '../../tsdown.base.ts';

// Entries of their own: a thread that parses callbacks loads neither settings nor log.
const config: UserConfig = {
  ...library,
  entry: {
    http: 'src/http/index.ts',
    log: 'src/log/index.ts',
    machine: 'src/machine/index.ts',
    process: 'src/process/index.ts',
    settings: 'src/settings/index.ts',
    thread: 'src/thread/index.ts',
    tracing: 'src/tracing/index.ts',
  },
};
export default config;
