import { parse } from 'yaml';
import { z } from 'zod';
import { type Declaration, declaration } from './declaration.ts';
import { InvalidDestinationsError } from './errors.ts';

const file = z.strictObject({ destinations: z.array(declaration) });

/**
 * Reads a YAML file of destinations.
 * @param name What the file is called in errors.
 * @throws {InvalidDestinationsError}
 */
export const parseDeclarations = (text: string, name: string): Declaration[] => {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new InvalidDestinationsError(`${name} is not YAML: ${(error as Error).message.split('\n')[0]}`);
  }
  const result = file.safeParse(value);
  if (!result.success) throw new InvalidDestinationsError(`${name}: ${z.prettifyError(result.error)}`);
  const ids = result.data.destinations.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new InvalidDestinationsError(`${name} names ${twice} twice`);
  return result.data.destinations;
};
