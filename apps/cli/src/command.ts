import { listenForStop } from '@clickrelay/service/process';
import type { Command } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import type { Context } from './commands/context.ts';
import { readConfig } from './config.ts';
import { printable } from './paint.ts';

/** How printed hints write this command, before the configuration is read. */
export const self = process.env['CLICKRELAY_COMMAND'] || 'clickrelay';

export const version = packageJson.version;

export interface CommandDefinition<Options> {
  /** Its name and arguments, in the notation of commander. */
  readonly usage: string;
  readonly about: string;
  /** Without the name of the program. */
  readonly example: string;
  /** Whether it runs until the signal of its context stops it. @default false */
  readonly isEndless?: boolean;
  /** May resolve with an exit code. */
  readonly run: (args: readonly string[], options: Options, context: Context) => Promise<unknown>;
}

/** Adds a command with what every command has: `--json`, an example, a context. `list` is the default of a group. */
export const addCommand = <Options>(
  parent: Command,
  { usage, about, example, isEndless = false, run }: CommandDefinition<Options>,
): Command =>
  parent
    .command(usage, { isDefault: usage === 'list' })
    .description(about)
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExample:\n  $ ${self} ${example}`)
    .action(async function (this: Command) {
      const { json = false, ...options } = this.opts<{ json?: boolean }>();
      const context: Context = {
        config: readConfig(process.env),
        environment: process.env,
        version,
        json,
        print: (text) => process.stdout.write(`${json ? text : printable(text)}\n`),
        signal: isEndless ? listenForStop().signal : new AbortController().signal,
      };
      const exitCode = await run(this.args, options as Options, context);
      process.exitCode = typeof exitCode === 'number' ? exitCode : 0;
    });

/** Adds a group of commands. On its own, it runs its `list`. */
export const addGroup = (program: Command, name: string, about: string): Command =>
  program
    .command(name)
    .description(about)
    .helpCommand(false)
    .addHelpText('after', `\nExample:\n  $ ${self} ${name} list`);
