import type { UserConfig } from 'tsdown';
import { library } from '../../tsdown.base.ts';

// The small ones are for programs that stay resident and have no use for the rest.
const config: UserConfig = {
  ...library,
  entry: ['src/stall-probe.ts', 'src/index.ts', 'src/find-redis-server.ts', 'src/port.ts', 'src/samples.ts'],
};
export default config;
