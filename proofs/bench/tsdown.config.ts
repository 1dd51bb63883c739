import type { UserConfig } from 'tsdown';
import { library } from '../../tsdown.base.ts';

// Not bundled: it measures the servers that it starts, and its own start does not matter.
const config: UserConfig = {
  ...library,
  dts: false,
  entry: ['src/main.ts', 'src/servers/{limit,plain-receiver,plain-worker}.ts'],
};

export default config;
