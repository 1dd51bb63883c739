import type { UserConfig } from 'tsdown';
import { library } from '../../tsdown.base.ts';

// The others are started by file name, in a process of their own.
const config: UserConfig = {
  ...library,
  entry: ['src/index.ts', 'src/transform-process.ts', 'src/transform-watch.ts'],
};
export default config;
