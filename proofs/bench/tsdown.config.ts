import type { UserConfig } from 'tsdown';
import { application } from '../../tsdown.base.ts';

const config: UserConfig = {
  ...application,
  entry: ['src/main.ts', 'src/servers/{limit,plain-receiver,plain-worker}.ts'],
};

export default config;
