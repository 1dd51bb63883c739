import { ConfigError } from '@clickrelay/service/settings';
import { Command, CommanderError } from 'commander';
import { printable, self, version } from './command.ts';
import { registerAudit } from './commands/audit.ts';
import { registerCredentials } from './commands/credentials.ts';
import { registerDeadLetters } from './commands/dead-letters.ts';
import { registerDestinations } from './commands/destinations/destinations.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerEvents } from './commands/events.ts';
import { registerKeys } from './commands/keys.ts';
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
import { CommandError } from './errors.ts';
import { endWithOutput } from './output-errors.ts';

const program = new Command('clickrelay')
  .description('Takes Clickatell callbacks, keeps them, and delivers them.')
  .version(version)
  .showHelpAfterError(`(${self} --help lists the commands)`)
  .addHelpText('after', `\nExample:\n  $ ${self} start`)
  .exitOverride()
  .helpCommand(false);

// In the order of the help.
registerStart(program);
registerSend(program);
registerTail(program);
registerEvents(program);
registerMessage(program);
registerDestinations(program);
registerLease(program);
registerKeys(program);
registerCredentials(program);
registerAudit(program);
registerStatus(program);
registerLedger(program);
registerDeadLetters(program);
registerReplay(program);
registerReplays(program);
registerQuarantine(program);
registerSetup(program);
registerDoctor(program);

/** Prints an error to stderr. @returns the exit code: 1 if something is wrong, 2 if the command was called wrongly */
const complain = (error: unknown): number => {
  // Commander has already printed it.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const { code, message, exitCode } =
    error instanceof CommandError
      ? error
      : error instanceof ConfigError
        ? { code: error.code, message: error.message, exitCode: 1 }
        : { code: 'internal_error', message: error instanceof Error ? error.message : String(error), exitCode: 1 };
  const text = process.argv.includes('--json')
    ? JSON.stringify({ error: { code, message } })
    : `error: ${printable(message)}`;
  process.stderr.write(`${text}\n`);
  return exitCode;
};

endWithOutput(complain);
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = complain(error);
}
