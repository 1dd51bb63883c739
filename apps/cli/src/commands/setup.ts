import type { Setup, TestCallback } from '@clickrelay/client';
import { isAboutConnecting, isRaised } from '@clickrelay/health';
import type { Command } from 'commander';
import { connectApi, whyUnread } from '../api-client.ts';
import { addCommand } from '../command.ts';
import { CommandError, usageError } from '../errors.ts';
import { exitCodeOf, type FailOn, failOnOption } from '../fail-on.ts';
import { HIDDEN } from '../format.ts';
import { showConditions } from '../show-conditions.ts';
import { shortTime } from '../time.ts';
import { type Context, type Reveal, revealed, show } from './context.ts';

export const registerSetup = (program: Command): Command =>
  addCommand(program, {
    usage: 'setup',
    about: 'show what to enter at Clickatell, what has come from it, and what is wrong',
    example: 'setup --test',
    run: (_, options: SetupOptions, context) => setup(options, context),
  })
    .option('--reveal', 'show the credential; the audit record notes it')
    .option('--test', 'send a test callback through the public address and report each step; exit code 1 if it fails')
    .option('--type <type>', 'with --test: which sample', 'moText')
    .addOption(failOnOption('end with exit code 1 when something is as bad as this'))
    .option('--deliver', 'with --test: also deliver it, marked as a test, to the webhooks that want it');

interface SetupOptions extends Reveal, FailOn {
  test?: true;
  type: string;
  deliver?: true;
}

/** Shows how to connect Clickatell with this relay. @returns 1 if a test callback does not arrive, or as `--fail-on` says */
const setup = async (options: SetupOptions, context: Context): Promise<number> => {
  if (options.test) return testCallback(options, context);
  if (options.deliver) throw usageError('--deliver needs --test');
  const api = connectApi(context.config);
  const { CLICKRELAY_COMMAND: command } = context.config;
  const facts = await api.call('GET /v1/setup', { query: revealed(options) }).catch(whyUnread);
  if (facts instanceof CommandError) {
    const { conditions } = await api.call('GET /v1/health');
    const problems = conditions.filter((one) => isRaised(one) && isAboutConnecting(one));
    if (problems.length > 0) show(context, { problems }, () => showConditions({ conditions: problems, command }));
    throw facts;
  }
  show(context, facts, (told) => setupText(told, command));
  return options.failOn === undefined ? 0 : exitCodeOf(facts.problems, options);
};

const setupText = ({ callbackUrls, credentials, received, receivers, problems }: Setup, command: string): string => {
  const urls = callbackUrls.public ?? callbackUrls.local;
  const lines: string[] = [];
  if (urls !== null) {
    lines.push(
      callbackUrls.public === null
        ? 'the callback URLs on this machine; set PUBLIC_URL to see those for Clickatell:'
        : "to paste into Clickatell's portal; each URL takes both kinds:",
    );
    lines.push(`  replies   ${urls.replies}`, `  statuses  ${urls.statuses}`);
  }
  for (const { kind, name, secret } of credentials ?? []) {
    lines.push(kind === 'none' ? '  no credential is required' : `  ${kind.padEnd(9)} ${name}: ${secret}`);
  }
  if (credentials?.some(({ secret }) => secret === HIDDEN)) {
    lines.push(`  ${HIDDEN}: \`${command} setup --reveal\` shows it`);
  }
  lines.push('', 'received');
  for (const [kind, { firstAt, lastAt, last24h }] of Object.entries(received)) {
    const callbacks = `${last24h} callback${last24h === 1 ? '' : 's'} in 24 hours`;
    const when =
      lastAt === null ? 'none yet' : `last ${shortTime(lastAt)}, first ${shortTime(firstAt ?? lastAt)}; ${callbacks}`;
    lines.push(`  ${kind.padEnd(9)} ${when}`);
  }
  lines.push('', 'receivers');
  for (const { process, version, readiness, spool } of receivers) {
    const state = readiness.ready ? `ready, kept: ${readiness.durability}` : 'NOT READY';
    const spooled = spool === null || spool.records === 0 ? '' : `, ${spool.records} callbacks in the spool`;
    lines.push(`  ${process} (${version}) ${state}${spooled}`);
  }
  if (receivers.length === 0) lines.push('  none');
  lines.push('');
  if (problems.length === 0) lines.push(`nothing is wrong; test the whole way with \`${command} setup --test\``);
  else lines.push(showConditions({ conditions: problems, command }));
  return lines.join('\n');
};

const testCallback = async ({ type, deliver }: SetupOptions, context: Context): Promise<number> => {
  const result = await connectApi(context.config).call('POST /v1/setup/test-callback', {
    // The API checks it.
    body: { type: type as 'moText', deliver: deliver ?? false },
  });
  show(context, result, testText);
  return result.ok ? 0 : 1;
};

const testText = ({ ok, through, url, steps, deliveries }: TestCallback): string => {
  const lines = [through === 'public' ? url : `${url} (PUBLIC_URL is not set: only the receiver itself is tested)`];
  for (const { step, ok: passed, ms, detail, mend } of steps) {
    lines.push(`${passed ? 'ok   ' : 'WRONG'}  ${step.padEnd(9)} ${detail} (${ms} ms)`);
    if (mend !== null) lines.push(`${' '.repeat(17)}-> ${mend}`);
  }
  for (const { destinationId, delivered, status, durationMs, error } of deliveries) {
    const what = delivered ? `answered ${status}` : error?.message;
    lines.push(`${delivered ? 'ok   ' : 'WRONG'}  delivered ${destinationId} ${what} (${durationMs} ms)`);
  }
  return [...lines, '', ok ? 'it arrived; nothing is kept of it' : 'it did not arrive'].join('\n');
};
