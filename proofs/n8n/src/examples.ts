import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowDefinition } from './n8n-client.ts';

const folder = join(import.meta.dirname, '../../../examples/n8n');

/** The names of the example workflows. */
export const exampleNames = async (): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.json')).map((name) => name.replace(/\.json$/, ''));

/** Reads an example as n8n's "Import from file" does. */
export const readExample = async (name: string): Promise<WorkflowDefinition> =>
  JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8'));
