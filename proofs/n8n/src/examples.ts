import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowDefinition } from './n8n-client.ts';

const folder = join(import.meta.dirname, '../../../examples/n8n');

/** The names of the workflows that people may import. */
export const exampleNames = async (): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith('.json')).map((name) => name.replace(/\.json$/, ''));

/** One of them, as n8n's editor gets it from "Import from file". */
export const readExample = async (name: string): Promise<WorkflowDefinition> =>
  JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8'));
