import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { GROUPS, type Level, type Rule } from '../packages/health/src/index.ts';

/*
 * Writes docs/conditions.md from the rules that judge: `node scripts/conditions-doc.ts`. A test compares the file with its
 * output.
 */

export const conditionsDoc = (): string => {
  const sections = GROUPS.map(([title, rules]) => [`## ${title}`, ...rules.map(paragraph)].join('\n\n'));
  return `${INTRODUCTION}\n${sections.join('\n\n')}\n`;
};

const paragraph = ({ code, levels, when, about, inhibits = [] }: Rule): string => {
  const severities = levels.map(({ severity }: Level) => severity).join(', ');
  const explained = inhibits.map((one) => `[\`${one}\`](#${one})`).join(', ');
  return [
    `### \`${code}\``,
    '',
    `*${capital(severities)}.* ${when}`,
    '',
    explained === '' ? about : `${about} While it is raised, it explains ${explained}.`,
  ].join('\n');
};

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

const INTRODUCTION = `<!-- Made by scripts/conditions-doc.ts from the rules of packages/health. Change those, then run it. -->

# Conditions

All that Clickrelay can find wrong with itself, in the words that every surface shows: \`doctor\`, \`status\`, \`setup\`,
\`GET /v1/health\`, the overview, \`/metrics\` and alerts.

| severity | means |
| --- | --- |
| critical | callbacks are lost, or do not arrive, now |
| warning | a person is needed today |
| info | worth knowing; it alerts nobody, and fails no check |

- **When it is raised.** "At once" is the first look; looks are five seconds apart. What has to be true *for* some time is \`pending\`
  until then.
- **When it ends.** Once it has been false for a minute, unless its paragraph says something else; \`clearing\` until then. What was
  raised four times within an hour comes and goes: it stays raised until 30 minutes were quiet.
- **What cannot be told is \`unknown\`**, with the reason, and never counts as fine. It neither raises nor ends a condition.
- **One cause is one condition.** What another explains is listed beneath it, and alerts nobody.
- **Acknowledged** means that somebody has it: it alerts nobody and fails no check until it ends.
`;

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await writeFile(new URL('../docs/conditions.md', import.meta.url), conditionsDoc());
}
