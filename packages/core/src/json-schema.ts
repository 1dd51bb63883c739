import { z } from 'zod';
import { knownTypes } from './data.ts';
import { eventSchema } from './event.ts';

type JsonSchema = Record<string, unknown>;

const jsonSchema = (schema: z.ZodType): JsonSchema => z.toJSONSchema(schema, { io: 'input' });

/**
 * JSON Schema (draft 2020-12) of `Event`, of each documented element under its own name (`moText`), and of each typed
 * `data` (`moText.data`).
 */
export const jsonSchemas: Record<string, JsonSchema> = {
  Event: jsonSchema(eventSchema),
  ...Object.fromEntries(
    Object.entries(knownTypes).flatMap(([type, { wire, data }]) => [
      [type, jsonSchema(wire)],
      [`${type}.data`, jsonSchema(data)],
    ]),
  ),
};
