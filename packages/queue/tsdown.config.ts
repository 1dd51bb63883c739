import type { UserConfig } from 'tsdown';
import { library } from '../../tsdown.base.ts';

// Scripts for Redis are files of their own, and become strings of the build.
const config: UserConfig = { ...library, loader: { '.lua': 'text' } };
export default config;
