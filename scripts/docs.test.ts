import { glob, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import asyncApi from '@asyncapi/specs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { createOperations } from '../apps/api/src/app.ts';
import { config as api } from '../apps/api/src/config.ts';
import { config as cli } from '../apps/cli/src/config.ts';
import { config as receiver } from '../apps/receiver/src/config.ts';
import { config as worker } from '../apps/worker/src/config.ts';
import { type Format, formatEvent, type LoggedEvent, STATUSES, splitCallback } from '../packages/core/src/index.ts';
import { createDestinationSettings } from '../packages/destination-settings/src/create-destination-settings.ts';
import {
  createApiMetrics,
  createProcessMetrics,
  createReceiverMetrics,
  createWorkerMetrics,
  Registry,
  setConditionMetrics,
  setStateMetrics,
} from '../packages/metrics/src/index.ts';
import { KNOWN_VARIABLES } from '../packages/service/src/settings/known-variables.ts';
import { samples } from '../packages/simulator/src/index.ts';
import { conditionsDoc } from './conditions-doc.ts';
import { configurationDoc } from './configuration-doc.ts';
import { interfaceDocs, interfaceFiles } from './interface-docs.ts';

const root = resolve(fileURLToPath(new URL('..', import.meta.url)));

const destinationSettings = createDestinationSettings([]);

/** Skips `node_modules`, where most files are. */
const filesBelow = async (folder: string, ending: string): Promise<string[]> => {
  const files: string[] = [];
  const exclude = (path: string) => /(^|\/)(node_modules|dist)$/.test(path);
  for await (const file of glob(`${folder}/**/*${ending}`, { cwd: root, exclude })) files.push(file);
  return files;
};
const sources = async (): Promise<string[]> =>
  (await Promise.all(['packages', 'apps'].map((folder) => filesBelow(folder, '.ts')))).flat();

/** Where the code names an error code that callers, readers of logs or users of `--json` may see. */
const CODE_PATTERNS = [
  /\bcode(?: =|:| \?\?) '([a-z_]+)'/g,
  /new (?:DeliveryError|CommandError|SpoolError)\(\s*'([a-z_]+)'/g,
  /new \w*Refus(?:al|ed)Error\(\s*\d{3},\s*'([a-z_]+)'/g,
];

describe('docs', () => {
  it('lists the variables of all programs for those that are nearly right', () => {
    const named = [api, cli, receiver, worker].flatMap(({ shape }) => Object.keys(shape));
    expect([...new Set(named)].sort(), 'packages/service/src/settings/known-variables.ts').toEqual(KNOWN_VARIABLES);
  });

  it('name every variable of the configuration as the code reads it', async () => {
    expect(await readFile(join(root, 'docs/configuration.md'), 'utf8')).toBe(configurationDoc());
  });

  it('tell every condition as the rules judge it', async () => {
    expect(await readFile(join(root, 'docs/conditions.md'), 'utf8')).toBe(conditionsDoc());
  });

  it('have what a condition points to', async () => {
    for (const file of (await sources()).filter((path) => path.startsWith('packages/health/src'))) {
      const text = await readFile(join(root, file), 'utf8');
      for (const [, page, anchor] of text.matchAll(/'(docs\/[\w-]+\.md)(?:#([\w-]+))?'/g)) {
        const anchors = anchorsOf(await readFile(join(root, page as string), 'utf8'));
        expect(anchor === undefined || anchors.has(anchor), `${file}: ${page}#${anchor}`).toBe(true);
      }
    }
  });

  it.each(Object.entries(interfaceFiles()))('and %s are up to date with the schemas', async (file, made) => {
    const committed = await readFile(join(root, file), 'utf8');
    expect(committed === made, `${file} is old: run node scripts/interface-docs.ts`).toBe(true);
  });

  it('hold a valid OpenAPI document', async () => {
    const { valid, errors } = await new Validator().validate(JSON.parse(interfaceFiles()['docs/openapi.json'] ?? ''));
    expect([errors, valid]).toEqual([undefined, true]);
  });

  it('hold a valid AsyncAPI document', () => {
    // The schema contains its own meta-schema.
    const ajv = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false });
    const isValid = ajv.validate(asyncApi.schemas['3.0.0'] as object, interfaceDocs()['docs/asyncapi.json']);
    expect([ajv.errors, isValid]).toEqual([null, true]);
  });

  it('describe in the AsyncAPI document what is really sent', () => {
    const document = interfaceDocs()['docs/asyncapi.json'] as AsyncApi;
    for (const [format, { headers, payload }] of Object.entries(document.components.messages)) {
      for (const envelope of Object.values(samples.byType)) {
        const [logged] = splitCallback(JSON.stringify(envelope), new Date(0).toISOString());
        const sent = formatEvent(logged as LoggedEvent, format as Format);
        const signed = {
          'webhook-id': 'evt_1',
          'webhook-timestamp': '1',
          'webhook-signature': 'v1,x',
          'user-agent': 'x',
        };
        const ajv = new Ajv2020({ strict: false, validateFormats: false });
        expect([ajv.validate(payload.schema, JSON.parse(sent.body)), ajv.errors], format).toEqual([true, null]);
        expect([ajv.validate(headers, { ...signed, ...sent.headers }), ajv.errors], format).toEqual([true, null]);
      }
    }
  });

  it('explain every error code, in alphabetical order', async () => {
    const codes = new Set<string>();
    for (const file of await sources()) {
      if (!/\/src\//.test(file) || file.endsWith('.test.ts') || file.startsWith('packages/testkit')) continue;
      // Conditions have a page of their own.
      if (file.startsWith('packages/health/src/rules')) continue;
      const text = await readFile(join(root, file), 'utf8');
      for (const pattern of CODE_PATTERNS) for (const [, code] of text.matchAll(pattern)) codes.add(code as string);
    }
    codes.delete('custom'); // zod's word for an issue of our own
    const explained = [...(await readFile(join(root, 'docs/errors.md'), 'utf8')).matchAll(/^### `([a-z_]+)`/gm)].map(
      ([, code]) => code,
    );
    expect(explained).toEqual([...codes].sort());
  });

  it('show the data of each event type as it is delivered', async () => {
    const page = await readFile(join(root, 'docs/events.md'), 'utf8');
    for (const [type, envelope] of Object.entries(samples.byType)) {
      const [logged] = splitCallback(JSON.stringify(envelope), new Date(0).toISOString());
      const shown = new RegExp(`^### \`${type}\`$.*?^\`\`\`json$(.*?)^\`\`\`$`, 'ms').exec(page)?.[1];
      expect(JSON.parse(shown ?? 'null'), type).toEqual(logged?.event.data);
    }
  });

  it('list every known status with its class', async () => {
    const page = await readFile(join(root, 'docs/events.md'), 'utf8');
    for (const { code, name, class: statusClass, final } of STATUSES) {
      const entry = code === null ? `\`${name}\`` : `${code} \`${name}\``;
      const row = page.split('\n').find((line) => line.startsWith('| `') && line.includes(entry));
      expect(row, name).toMatch(new RegExp(`^\\| \`${statusClass}\` \\| ${final ? 'yes' : 'no'} \\|`));
    }
  });

  it('show a DESTINATIONS_FILE that is accepted', async () => {
    const page = await readFile(join(root, 'docs/destinations.md'), 'utf8');
    const [, yaml] = /^```yaml$(.*?)^```$/ms.exec(page) ?? [];
    expect(destinationSettings.parseFile(yaml ?? '', 'the example').map(({ id }) => id)).toEqual([
      'crm',
      'audit',
      'support-bot',
    ]);
  });

  it('list every operation of the API, and the scopes that open it', async () => {
    const page = await readFile(join(root, 'docs/api.md'), 'utf8');
    const listed = [...page.matchAll(/^\| `([A-Z]+) ([^`]+)` \| (.+?) \| (.*?) ?\|$/gm)].map((match) => match.slice(1));
    const present = createOperations(destinationSettings).map(({ method, path, summary, scopes }) => [
      method.toUpperCase(),
      path,
      summary,
      scopes.join(', '),
    ]);
    expect(listed.sort()).toEqual(present.sort());
  });

  it('list every metric with its labels and meaning', async () => {
    const own = createProcessMetrics('api');
    own.stop();
    const [receiver, worker, api, state] = [new Registry(), new Registry(), new Registry(), new Registry()];
    const report = { ready: true, mode: 'always', durability: 'always', mayBeLost: '', problems: [] } as const;
    createReceiverMetrics(receiver, () => report);
    createWorkerMetrics(worker);
    createApiMetrics(api);
    const processes = { receiver: 0, worker: 0, api: 0 };
    setStateMetrics(state, { state: undefined, durability: report, processes, version: '0.0.0' });
    setConditionMetrics(state, []);
    const present = new Set<string>();
    for (const registry of [own.registry, receiver, worker, api, state]) {
      for (const { name, type, help } of await registry.getMetricsAsJSON()) {
        const labels: string[] = Reflect.get(registry.getSingleMetric(name) ?? {}, 'labelNames');
        present.add(`| \`${name}\` |${labels.map((label) => ` \`${label}\``).join(',')} | ${type} | ${help} |`);
      }
    }
    const page = await readFile(join(root, 'docs/metrics.md'), 'utf8');
    const listed = page.split('\n').filter((line) => /^\| `(clickrelay|process|nodejs)_/.test(line));
    expect(listed.sort()).toEqual([...present].sort());
  });

  it('explain every alert', async () => {
    const page = await readFile(join(root, 'docs/metrics.md'), 'utf8');
    const rules = await readFile(join(root, 'deploy/prometheus/clickrelay-alerts.yml'), 'utf8');
    const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name as string);
    const explained = [...page.matchAll(/^\| `(Clickrelay\w+)` \|/gm)].map(([, name]) => name as string);
    expect(explained).toEqual(alerts);
  });

  it('link only to what exists', async () => {
    const roots = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md'];
    const below = { docs: '.md', packages: 'README.md', examples: 'README.md', proofs: 'README.md' };
    const found = await Promise.all(Object.entries(below).map(([folder, ending]) => filesBelow(folder, ending)));
    const pages = [...roots, ...found.flat()];
    const read = (file: string): Promise<string> =>
      readFile(join(root, file), 'utf8').catch((error) => {
        if (error.code === 'EISDIR') return '';
        throw error;
      });
    const broken: string[] = [];
    for (const page of pages) {
      for (const [, link] of (await read(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(link as string)) continue;
        const [path = '', anchor] = (link as string).split('#');
        const target = path === '' ? page : join(dirname(page), path);
        const text = await read(target).catch(() => undefined);
        if (text === undefined || (anchor !== undefined && !anchorsOf(text).has(anchor)))
          broken.push(`${page}: ${link}`);
      }
    }
    expect(broken).toEqual([]);
  });
});

interface AsyncApi {
  readonly components: { readonly messages: Record<string, { headers: object; payload: { schema: object } }> };
}

/** The anchors that GitHub makes from headings. */
const anchorsOf = (page: string): Set<string> =>
  new Set(
    [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
      (heading as string)
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
