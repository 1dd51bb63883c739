import type { UserConfig } from 'tsdown';
import { library } from '../../tsdown.base.ts';

// The two small ones are for `clickrelay start`, which stays resident and has no use for the rest.
const config: UserConfig = { ...library, entry: ['src/index.ts', 'src/find-redis-server.ts', 'src/port.ts'] };
export default config;
