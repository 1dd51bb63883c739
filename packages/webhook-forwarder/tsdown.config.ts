import type { UserConfig } from 'tsdown';
import { library } from '../../tsdown.base.ts';

// The others are loaded by file name: the bundle of a program that does so has them beside it, see tsdown.base.ts.
const config: UserConfig = {
  ...library,
  entry: ['src/index.ts', 'src/transform-parser.ts', 'src/transform-process.ts', 'src/transform-watch.ts'],
};
export default config;
