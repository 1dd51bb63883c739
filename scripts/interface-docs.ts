import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { operations } from '../apps/api/src/app.ts';
import { openApiDocument } from '../apps/api/src/openapi.ts';
import { asyncApiDocument } from './asyncapi.ts';

/*
 * Writes docs/openapi.json and docs/asyncapi.json from the schemas that check what is sent and received:
 * `node scripts/interface-docs.ts`. A test compares the files with what this makes.
 */

/** Of the interfaces, which is in every path; the API itself tells the version of Clickrelay. */
const VERSION = '1';

export const interfaceDocs = (): Readonly<Record<string, object>> => ({
  'docs/openapi.json': openApiDocument(operations, VERSION),
  'docs/asyncapi.json': asyncApiDocument(VERSION),
});

export const asText = (document: object): string => `${JSON.stringify(document, null, 2)}\n`;

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [file, document] of Object.entries(interfaceDocs())) {
    await writeFile(new URL(`../${file}`, import.meta.url), asText(document));
  }
}
