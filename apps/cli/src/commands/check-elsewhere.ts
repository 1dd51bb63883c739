import type { Overview, Setup, Status } from '@clickrelay/client';
import { connectApi } from '../api-client.ts';
import type { Config } from '../config.ts';
import { CommandError } from '../errors.ts';
import { bad, type Check, good, unseen } from './check.ts';

/** What the API of another machine tells of it, and what only a `doctor` there can see. */
export const checkElsewhere = async (config: Config): Promise<Check[]> => {
  const api = connectApi(config);
  const { host } = new URL(api.url);
  const there = unseen(
    'not seen',
    `disks, DATA_DIR, ports, processes and logs of ${host}`,
    `run \`${config.CLICKRELAY_COMMAND} doctor\` on that machine`,
  );
  try {
    const [status, setup, overview] = await Promise.all([
      api.call('GET /v1/status'),
      api.call('GET /v1/setup', { query: { reveal: 'false' } }),
      api.call('GET /v1/overview'),
    ]);
    return [...redisChecks(status), ...receiverChecks(setup), ...needChecks(overview), there];
  } catch (error) {
    // That the API does not answer, or refuses the key, has a line of its own.
    if (!(error instanceof CommandError)) throw error;
    return [there];
  }
};

const redisChecks = ({ durability: { durability, problems } }: Status): Check[] =>
  problems.length === 0
    ? [good('redis', `answers there; what it acknowledges is kept: ${durability}`)]
    : problems.map(({ setting, value, mend }) => bad('redis', `${setting} is ${value}`, mend));

const receiverChecks = ({ receivers, problems }: Setup): Check[] => [
  ...receivers
    .filter(({ readiness }) => readiness.ready)
    .map(({ process, version }) => good('receiver', `${process} (${version}) takes callbacks`)),
  ...problems.map(({ message, mend }) => bad('setup', message, mend)),
];

/** Those about Redis are told already. */
const needChecks = ({ needs }: Overview): Check[] =>
  needs
    .filter(({ kind }) => kind !== 'not_durable')
    .map(({ kind, destinationId, count, detail }) =>
      bad('needs you', [destinationId, kind, count].filter((part) => part !== null).join(' '), detail),
    );
