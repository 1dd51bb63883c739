import { ConfigError } from '@clickrelay/service/settings';
import { Command, CommanderError } from 'commander';
import { self, version } from './command.ts';
import { registerAlerts } from './commands/alerts.ts';
import { registerAudit } from './commands/audit.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerCredentials } from './commands/credentials.ts';
import { registerDeadLetters } from './commands/dead-letters.ts';
import { registerDeliveries } from './commands/deliveries.ts';
import { registerDestinations } from './commands/destinations/destinations.ts';
import { registerDoctor } from './commands/doctor/doctor.ts';
import { registerEvents } from './commands/events.ts';
import { registerFind } from './commands/find.ts';
import { registerHealth } from './commands/health.ts';
import { registerKeys } from './commands/keys.ts';
import { registerLag } from './commands/lag.ts';
import { registerLease } from './commands/lease.ts';
import { registerLedger } from './commands/ledger.ts';
import { registerMessage } from './commands/message.ts';
import { registerQuarantine } from './commands/quarantine.ts';
import { registerReplay } from './commands/replay.ts';
import { registerReplays } from './commands/replays.ts';
import { registerSend } from './commands/send/send.ts';
import { registerSetup } from './commands/setup.ts';
import { registerStart } from './commands/start/start.ts';
import { registerStatus } from './commands/status.ts';
import { registerTail } from './commands/tail.ts';
import { CommandError, EXIT } from './errors.ts';
import { endWithOutput } from './output-errors.ts';
import { paint, printable } from './paint.ts';

const isJson = process.argv.includes('--json');

const program = new Command('clickrelay')
  .description('Takes Clickatell callbacks, keeps them, and delivers them.')
  .version(version)
  .showHelpAfterError(`(${self} --help lists the commands)`)
  .addHelpText('after', `\nExample:\n  $ ${self} start`)
  .exitOverride()
  // With `--json` an error is JSON, and nothing else: see `complain`.
  .configureOutput(isJson ? { writeErr: () => {} } : {})
  .helpCommand(false);

// In the order of the help.
registerStart(program);
registerSend(program);
registerTail(program);
registerEvents(program);
registerMessage(program);
registerFind(program);
registerDeliveries(program);
registerDestinations(program);
registerLease(program);
registerKeys(program);
registerCredentials(program);
registerAudit(program);
registerStatus(program);
registerAlerts(program);
registerHealth(program);
registerLedger(program);
registerLag(program);
registerDeadLetters(program);
registerReplay(program);
registerReplays(program);
registerQuarantine(program);
registerSetup(program);
registerDoctor(program);
registerCompletion(program);

const asCommandError = (error: unknown): CommandError => {
  if (error instanceof CommandError) return error;
  if (error instanceof ConfigError) return new CommandError(error.code, error.message);
  if (error instanceof CommanderError) {
    return new CommandError('usage', error.message.replace(/^error: /, ''), { exitCode: EXIT.usage });
  }
  return new CommandError('internal_error', error instanceof Error ? error.message : String(error));
};

/** Prints an error to stderr; with `--json` in the shape of the API's errors. @returns the exit code */
const complain = (error: unknown): number => {
  const isTold = error instanceof CommanderError;
  // `--help` and `--version` end so.
  if (isTold && error.exitCode === 0) return 0;
  const { code, message, issues, hint, exitCode } = asCommandError(error);
  if (isJson) {
    const told = { code, message, ...(issues.length > 0 && { issues }) };
    process.stderr.write(`${JSON.stringify({ error: told })}\n`);
  } else if (!isTold) {
    const where = issues.map((issue) => `\n  ${issue.path ? `${issue.path}: ` : ''}${issue.message}`).join('');
    process.stderr.write(
      `${paint('red', 'error:', process.stderr)} ${printable(message + where + (hint === undefined ? '' : `\n${hint}`))}\n`,
    );
  }
  return exitCode;
};

endWithOutput(complain);
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = complain(error);
}
