import { eventSchema, KNOWN_EVENT_TYPES, nearMiss } from '@clickrelay/core';
import { compileFilter, InvalidFilterError, type ReadField, readsOfFilter } from '@clickrelay/routing';
import type { z } from 'zod';
import { sampleEvents } from './sample-events.ts';

/** Refuses, with the column, a filter that can never decide anything. */
export const checkFilter = (context: z.core.ParsePayload<string>): void => {
  try {
    refuseUseless(context.value);
  } catch (error) {
    if (!(error instanceof InvalidFilterError)) throw error;
    context.issues.push({ code: 'custom', message: error.message, input: undefined });
  }
};

const EVENT_FIELDS = Object.keys(eventSchema.shape);

/** @throws {InvalidFilterError} */
const refuseUseless = (text: string): void => {
  const decide = compileFilter(text);
  const missing = readsOfFilter(text).fields.find((field) => !field.isOnlyTested && isUnknown(field));
  if (missing !== undefined) {
    throw new InvalidFilterError(`an event has no field ${missing.path[0]}${meant(missing.path[0])}`, missing.column);
  }
  for (const event of sampleEvents()) {
    const { gaveUpAt, problem } = decide(event);
    if (gaveUpAt === undefined) continue;
    const rest = 'put fewer loops into loops, and build no long lists and texts';
    throw new InvalidFilterError(
      `${problem?.replace(/, at column.*/, '')} for a sample of ${event.type}: ${rest}`,
      gaveUpAt,
    );
  }
};

const isUnknown = ({ path: [name] }: ReadField): boolean =>
  name !== undefined && name !== '*' && !EVENT_FIELDS.includes(name);

const meant = (name = ''): string => {
  const near = nearMiss(name, EVENT_FIELDS, { shortest: 3 });
  return near === undefined ? `; it has ${EVENT_FIELDS.join(', ')}` : `; did you mean event.${near}?`;
};

/** What a valid filter says that no event will ever be like, as far as anybody knows. */
export const warningsOfFilter = (text: string): string[] => {
  const { fields, compared } = readsOfFilter(text);
  const warnings: string[] = [];
  for (const field of fields) {
    const [first, second] = field.path;
    if (isUnknown(field)) warnings.push(`the filter asks for event.${first}, which no event has`);
    if (first !== 'data' || second === undefined || second === '*') continue;
    const known = [...new Set(sampleEvents().flatMap(({ data }) => Object.keys(data)))];
    if (known.includes(second)) continue;
    const near = nearMiss(second, known, { shortest: 3 });
    const hint = near === undefined ? '' : `; did you mean event.data.${near}?`;
    warnings.push(`the filter asks for event.data.${second}, which no event has${hint}`);
  }
  for (const { path, text: type } of compared) {
    const near = path.join('.') === 'type' ? nearMiss(type, KNOWN_EVENT_TYPES) : undefined;
    if (near !== undefined) warnings.push(`the filter compares event.type with ${type}; did you mean ${near}?`);
  }
  return [...new Set(warnings)];
};
