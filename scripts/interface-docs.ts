import { writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { createOperations } from '../apps/api/src/app.ts';
import { openApiDocument } from '../apps/api/src/openapi.ts';
import { createDestinationSettings } from '../packages/destination-settings/src/create-destination-settings.ts';
import { asyncApiDocument } from './asyncapi.ts';
import { clientTypes } from './client-types.ts';

/*
 * Writes docs/openapi.json and docs/asyncapi.json from the schemas that check requests and deliveries, and the types of
 * packages/client from the OpenAPI document: `node scripts/interface-docs.ts`. A test compares the files with its output.
 */

/** The version of the interfaces, as in every path. The API itself reports the version of Clickrelay. */
const VERSION = '1';

const openApi = (): object => openApiDocument(createOperations(createDestinationSettings([])), VERSION);

export const interfaceDocs = (): Readonly<Record<string, object>> => ({
  'docs/openapi.json': openApi(),
  'docs/asyncapi.json': asyncApiDocument(VERSION),
});

const asText = (document: object): string => `${JSON.stringify(document, null, 2)}\n`;

/** The text of each file. */
export const interfaceFiles = (): Readonly<Record<string, string>> => {
  const documents = interfaceDocs();
  return {
    ...Object.fromEntries(Object.entries(documents).map(([file, document]) => [file, asText(document)])),
    'packages/client/src/operations.ts': clientTypes(openApi()),
  };
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [file, text] of Object.entries(interfaceFiles())) {
    await writeFile(new URL(`../${file}`, import.meta.url), text);
  }
}
