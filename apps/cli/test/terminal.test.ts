import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { COMPILE_CACHE } from '@clickrelay/testkit';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { event, useScriptedApi } from './use-scripted-api.ts';

const { answers, env } = useScriptedApi();
const main = join(import.meta.dirname, '../src/main.ts');
const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

/** Runs a command line of a shell, with `clickrelay` as a command. @returns what it prints */
const inShell = async (shell: string, text: string, more: Record<string, string> = {}): Promise<string> => {
  const { stdout } = await promisify(execFile)(shell, ['-c', text], {
    env: {
      PATH: process.env['PATH'],
      NODE_NO_WARNINGS: '1',
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      NODE: process.execPath,
      MAIN: main,
      ...env(),
      ...more,
    },
  });
  return stdout.replaceAll('\r', '');
};

/** What a terminal of so many columns gets. */
const inTerminal = (columns: number, args: string, more: Record<string, string> = {}): Promise<string> =>
  inShell('bash', `script -qec 'stty cols ${columns}; "$NODE" "$MAIN" ${args}' /dev/null </dev/null`, {
    SHELL: 'bash',
    TERM: 'xterm',
    ...more,
  });

/** The sequences that begin with ESC, which `printable` would show. */
const COLOUR = /\p{Cc}\[\d+m/gu;

describe.skipIf(!has('script'))('in a terminal', () => {
  const wide = { ...event, data: { text: '你好 '.repeat(30) } };

  test('no line of a table is longer than the terminal, and no id or time is cut', async () => {
    answers['GET /v1/events?limit=20'] = { items: [{ ...wide, deliveries: [] }], next: null };
    for (const columns of [60, 140]) {
      const lines = (await inTerminal(columns, 'events')).replaceAll(COLOUR, '').trimEnd().split('\n');
      expect(lines.filter((line) => stringWidth(line) > columns)).toEqual([]);
      const text = lines.join('\n');
      for (const whole of ['2026-11-20T10:00:01Z', event.id, '2799900001 -> 2799900002', '你好']) {
        expect([columns, text]).toEqual([columns, expect.stringContaining(whole)]);
      }
      expect(text).toContain('…');
    }
  });

  test('headings and states have colours, and none with NO_COLOR', async () => {
    answers['GET /v1/events?limit=20'] = { items: [{ ...event, deliveries: [] }], next: null };
    expect((await inTerminal(200, 'events')).match(COLOUR)).not.toBeNull();
    expect((await inTerminal(200, 'events', { NO_COLOR: '1' })).match(COLOUR)).toBeNull();
  });
});

test('a pipe gets whole lines without colours, or with them by FORCE_COLOR; nothing from outside colours anything', async () => {
  answers['GET /v1/events?limit=20'] = { items: [{ ...event, type: 'mo\u001B[31mText', deliveries: [] }], next: null };
  const plain = await inShell('bash', '"$NODE" "$MAIN" events | cat');
  expect(plain.match(/\p{Cc}(?<!\n)/gu)).toBeNull();
  expect(plain).toContain('2026-11-20T10:00:01Z  mo [31mText  whatsapp  2799900001');
  const forced = await inShell('bash', '"$NODE" "$MAIN" events | cat', { FORCE_COLOR: '1' });
  expect(new Set(forced.match(COLOUR))).toEqual(new Set(['\u001B[1m', '\u001B[22m']));
});

/** For each shell: the completion, and what it would offer for a command line, one word to a line. */
const SHELLS = {
  bash: {
    load: `
      clickrelay() { "$NODE" "$MAIN" "$@"; }
      source <(clickrelay completion bash)`,
    offer: (line: string) => `
      COMP_WORDS=(${line}); COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
      _clickrelay
      printf '%s\\n' "\${COMPREPLY[@]}"`,
  },
  zsh: {
    load: `
      compdef() { }; _describe() { print -l -- \${found%%:*} }; _files() { }
      clickrelay() { "$NODE" "$MAIN" "$@"; }
      source <(clickrelay completion zsh)`,
    offer: (line: string) => `
      words=(${line}); CURRENT=$#words
      _clickrelay`,
  },
  fish: {
    load: `
      function clickrelay; $NODE $MAIN $argv; end
      clickrelay completion fish | source`,
    offer: (line: string) => `
      complete -C "${line.replace(/ ''$/, ' ')}" | string replace -r '\\t.*' ''
      true`,
  },
};

describe.each(Object.keys(SHELLS) as (keyof typeof SHELLS)[])('%s', (shell) => {
  test.skipIf(!has(shell))('completes commands, options, their values and ids of destinations', async () => {
    answers['GET /v1/destinations?limit=500'] = { items: [{ id: 'crm' }, { id: 'bot' }], next: null };
    const { load, offer } = SHELLS[shell];
    const lines = ['dea', 'dead-letters --ki', "dead-letters --kind ''", "destinations show ''"];
    // One shell for all of them: it loads the completion once, as a person's does.
    const text = [load, ...lines.map((line) => `${offer(`clickrelay ${line}`)}\necho '====='`)].join('\n');
    const offered = (await inShell(shell, text)).split('=====\n').map((words) => words.trim().split('\n').sort());
    expect(offered.slice(0, lines.length)).toEqual([
      ['dead-letters'],
      ['--kind'],
      ['crashes_consumer', 'not_built', 'refused'],
      ['bot', 'crm'],
    ]);
  });
});
