import { compileFilter, InvalidFilterError } from '@clickrelay/routing';
import type { z } from 'zod';

/** Refuses, with the column, a filter that can never decide anything. */
export const checkFilter = (context: z.core.ParsePayload<string>): void => {
  try {
    compileFilter(context.value);
  } catch (error) {
    if (!(error instanceof InvalidFilterError)) throw error;
    context.issues.push({ code: 'custom', message: error.message, input: undefined });
  }
};
