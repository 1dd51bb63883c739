import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import type { z } from 'zod';
import { config as api } from '../apps/api/src/config.ts';
import { config as cli } from '../apps/cli/src/config.ts';
import { config as receiver } from '../apps/receiver/src/config.ts';
import { config as worker } from '../apps/worker/src/config.ts';

/*
 * Writes docs/configuration.md from the schemas that read the environment: `node scripts/configuration-doc.ts`.
 * A test compares the file with its output.
 */

const PARTS = [
  ['The receiver', [], receiver],
  ['The worker', [], worker],
  ['The API', [], api],
  ['The command line', ['`clickrelay start` hands all other variables on to the parts above.', ''], cli],
] as const;

interface Definition {
  readonly type: string;
  readonly defaultValue?: unknown;
  readonly in?: z.core.$ZodType;
  readonly innerType?: z.core.$ZodType;
}

/** The default of a variable. */
const defaultOf = (schema: z.core.$ZodType): string => {
  const { type, defaultValue, in: input, innerType } = schema._zod.def as unknown as Definition;
  if (type === 'default' || type === 'prefault') return defaultValue === '' ? '' : `\`${defaultValue}\``;
  const inner = input ?? innerType;
  return inner === undefined ? '' : defaultOf(inner);
};

export const configurationDoc = (): string => {
  const told = new Set<string>();
  const sections = PARTS.map(([title, introduction, { shape }]) => {
    const rows: string[] = [];
    const again: string[] = [];
    for (const [name, schema] of Object.entries(shape)) {
      const row = `| \`${name}\` | ${schema.description?.replaceAll('|', '\\|')} | ${defaultOf(schema)} |`;
      if (told.has(row)) again.push(`\`${name}\``);
      else rows.push(row);
      told.add(row);
    }
    return [
      `## ${title}`,
      '',
      ...introduction,
      '| variable | meaning | default |',
      '| --- | --- | --- |',
      ...rows,
      ...(again.length > 0 ? ['', `As above: ${again.join(', ')}.`] : []),
    ].join('\n');
  });
  return `${INTRODUCTION}\n${sections.join('\n\n')}\n`;
};

const INTRODUCTION = `<!-- Made by scripts/configuration-doc.ts from the schemas that read the environment. Change those, then run it. -->

# Configuration

Environment variables set everything but [destinations](destinations.md). An empty variable counts as unset; a wrong one stops
the process at its start with a line that says what is expected. A variable that nobody reads and that is nearly one of these
(\`EGRES_ALLOW\`) is named at the start. Durations are written like \`100ms\`, \`15s\`, \`2m\`, \`72h\` or \`7d\`.
`;

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await writeFile(new URL('../docs/configuration.md', import.meta.url), configurationDoc());
}
