import { z } from 'zod';
import { knownTypes } from './data.ts';
import { eventSchema } from './event.ts';
import { identifier, text } from './fields.ts';

const known = Object.entries(knownTypes);

/** A callback as Clickatell documents it. `parseCallback` is more liberal: it accepts any array in `event`. */
const callbackSchema = z.looseObject({
  integrationId: identifier.describe('Spelled `integrationID` in some of the documentation; both are understood.'),
  integrationName: text,
  event: z.looseObject(Object.fromEntries(known.map(([type, { wire }]) => [type, z.array(wire).optional()]))),
});

/** Generates each schema on first use: all together take as long as loading the rest of this package. */
const generatedOnFirstUse = (schemas: Record<string, z.ZodType>): Record<string, object> => {
  const generated: Record<string, object> = {};
  for (const [name, schema] of Object.entries(schemas)) {
    let made: object | undefined;
    Object.defineProperty(generated, name, {
      enumerable: true,
      get() {
        made ??= z.toJSONSchema(schema, { io: 'input' });
        return made;
      },
    });
  }
  return generated;
};

/**
 * JSON Schemas (draft 2020-12): `Event`, `Callback`, each documented element under its own name (`moText`), and each
 * typed `data` (`moText.data`).
 */
export const jsonSchemas: Readonly<Record<string, object>> = generatedOnFirstUse({
  Event: eventSchema,
  Callback: callbackSchema,
  ...Object.fromEntries(
    known.flatMap(([type, { wire, data }]): [string, z.ZodType][] => [
      [type, wire],
      [`${type}.data`, data],
    ]),
  ),
});
