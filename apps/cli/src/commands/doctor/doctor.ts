import { type Condition, SEVERITIES } from '@clickrelay/health';
import type { Command } from 'commander';
import { connectApi } from '../../api-client.ts';
import { addCommand } from '../../command.ts';
import { CommandError } from '../../errors.ts';
import { exitCodeOf, type FailOn, failOnOption } from '../../fail-on.ts';
import { isLoopback } from '../../loopback.ts';
import { showConditions } from '../../show-conditions.ts';
import { type AdoptOptions, adoptStore } from '../adopt-store.ts';
import { type Context, show } from '../context.ts';
import { type Findings, fine, together, wrong } from './finding.ts';
import { judgeAlone } from './judge-alone.ts';
import { lookAtNode, lookHere, notRunning } from './look-here.ts';

export const registerDoctor = (program: Command): Command =>
  addCommand(program, {
    usage: 'doctor',
    about: 'look at everything that Clickrelay needs, and say how to mend what is wrong',
    example: 'doctor',
    run: (_, options: DoctorOptions, context) =>
      options.adopt ? adoptStore(options, context) : doctor(options, context),
  })
    .addOption(failOnOption('end with exit code 1 from this severity on; otherwise from warning on'))
    .option('--adopt', 'take this Redis for ours, in place of one that is gone')
    .option('--yes', 'with --adopt: without asking');

type DoctorOptions = FailOn & AdoptOptions & { adopt?: true };

/** @returns the exit code: 1 when something is wrong, or cannot be told */
const doctor = async (options: FailOn, context: Context): Promise<number> => {
  const { config } = context;
  // What runs on another machine has its files, ports and processes there: those of this one say nothing about it.
  const isElsewhere = config.API_URL !== undefined && !isLoopback(config.API_URL);
  const here = isElsewhere ? lookAtNode() : await lookHere(config);
  const told = await ask(context, isElsewhere);
  const notSeen = isElsewhere ? [`disks, DATA_DIR, ports, processes and logs of ${hostOf(config.API_URL)}`] : [];
  const conditions = merge(here.conditions, told.conditions);
  const { CLICKRELAY_COMMAND: command } = config;
  show(
    context,
    { ok: exitCodeOf(conditions, options) === 0, conditions, fine: [...here.fine, ...told.fine], notSeen },
    (all) =>
      [
        showConditions({ conditions: all.conditions, command }),
        '',
        `fine: ${all.fine.join('; ')}`,
        ...all.notSeen.map((what) => `not seen from here: ${what}; run \`${command} doctor\` there`),
      ].join('\n'),
  );
  return exitCodeOf(conditions, options);
};

const hostOf = (url: string | undefined): string => new URL(url ?? '').host;

/** The list of the API; without one, what Redis tells. */
const ask = async (context: Context, isElsewhere: boolean): Promise<Findings> => {
  const { config } = context;
  const api = connectApi(config);
  try {
    const { conditions, checkedAt } = await api.call('GET /v1/health');
    return { conditions, fine: [`API at ${api.url} answers; it looked at ${checkedAt.slice(11, 19)}Z`] };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const refused = apiRefusal(error);
    if (isElsewhere || refused !== undefined) return refused ?? unreachable(error);
    const alone = await judgeAlone(context);
    const found = error.code === 'not_running' ? notRunning('API', config) : unreachable(error);
    return together([found, alone === undefined ? fine() : { conditions: alone.conditions, fine: [] }]);
  }
};

const unreachable = ({ message }: CommandError): Findings =>
  wrong({ code: 'api_unreachable', sentence: message, mend: 'look at the log of the API' });

const MENDS: Readonly<Record<string, string>> = {
  unauthorized: 'the key is `apiKey` in secrets.json there, unless API_KEY was set',
  forbidden_scope: 'take a key with the scope read',
  not_found: 'set API_URL to where the API listens',
};

/** An API is there, and does not tell: that is for the caller to mend. */
const apiRefusal = ({ code, message }: CommandError): Findings | undefined => {
  const mend = MENDS[code];
  return mend === undefined ? undefined : wrong({ code: `api_${code}`, sentence: message, mend });
};

/** What is seen here fills in for what the list cannot tell; what both tell is told once. */
const merge = (here: readonly Condition[], told: readonly Condition[]): Condition[] => {
  const known = new Set(told.filter(({ state }) => state !== 'unknown').map(({ code }) => code));
  const added = here.filter(({ code }) => code === 'not_running' || !known.has(code));
  const filled = new Set(added.map(({ code }) => code));
  const all = [...added, ...told.filter(({ code, state }) => state !== 'unknown' || !filled.has(code))];
  // Nothing was started here: that explains why nothing is heard of.
  const isStopped = filled.has('not_running');
  return all
    .map((one) => (isStopped && /^no_(receiver|worker)$/.test(one.code) ? { ...one, inhibitedBy: 'not_running' } : one))
    .sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
};
