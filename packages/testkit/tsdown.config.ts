import type { UserConfig } from 'tsdown';
import { library } from '../../tsdown.base.ts';

// The probe is loaded into programs under test, which have no use for the rest.
const config: UserConfig = { ...library, entry: ['src/stall-probe.ts', 'src/index.ts'] };
export default config;
