import { expect, it } from 'vitest';
import { describeMisspelt, misspeltVariables } from './known-variables.ts';

it('names variables that are nearly ours, and no others', () => {
  const environment = {
    EGRES_ALLOW: 'secret',
    Redis_Url: '',
    PATH: '',
    HOSTNAME: '',
    NODE_ENV: '',
    PORT: '',
    HOME: '',
  };
  expect(misspeltVariables(environment).map(describeMisspelt)).toEqual([
    'EGRES_ALLOW is no variable of Clickrelay, and nobody reads it; did you mean EGRESS_ALLOW?',
    'Redis_Url is no variable of Clickrelay, and nobody reads it; did you mean REDIS_URL?',
  ]);
  expect(misspeltVariables({ EGRES_ALLOW: '1', EGRESS_ALLOW: '2' })).toEqual([]);
});
