import { parse } from 'yaml';
import { z } from 'zod';
import type { Declaration, DeclarationSchemas } from './declaration-schemas.ts';
import { InvalidDestinationsError } from './errors.ts';

/**
 * Reads a YAML file of destinations.
 * @param name what errors call the file
 * @throws {InvalidDestinationsError}
 */
export const parseFile = (
  declaration: DeclarationSchemas['declaration'],
  text: string,
  name: string,
): Declaration[] => {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new InvalidDestinationsError(`${name} is not YAML: ${(error as Error).message.split('\n')[0]}`);
  }
  const result = z.strictObject({ destinations: z.array(declaration) }).safeParse(value);
  if (!result.success) throw new InvalidDestinationsError(`${name}: ${z.prettifyError(result.error)}`);
  const ids = result.data.destinations.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new InvalidDestinationsError(`${name} names ${twice} twice`);
  return result.data.destinations;
};
