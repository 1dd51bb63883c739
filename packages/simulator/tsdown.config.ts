import type { UserConfig } from 'tsdown';
import { library } from '../../tsdown.base.ts';

// Samples apart: a program that only shows them has no use for the sender's HTTP client.
const config: UserConfig = { ...library, entry: ['src/index.ts', 'src/samples.ts'] };
export default config;
