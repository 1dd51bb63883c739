import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DeliveryError, formatEvent, type PluggedAdapter } from '@clickrelay/core';
import { z } from 'zod';

/** A module of `ADAPTERS` that is not an adapter. */
export class InvalidAdapterError extends Error {
  override readonly name = 'InvalidAdapterError';
  readonly code = 'invalid_adapter';
}

const TYPE = /^[a-z][a-z0-9-]{0,62}$/;
const OURS = ['webhook', 'pull'];

/**
 * Loads the adapters that `ADAPTERS` names.
 * @param modules Paths, relative to the working directory, or names of packages that are installed there.
 * @throws {InvalidAdapterError}
 */
export const loadAdapters = async (modules: readonly string[]): Promise<PluggedAdapter[]> => {
  const adapters: PluggedAdapter[] = [];
  for (const name of modules) {
    const adapter = await load(name);
    if (adapters.some(({ type }) => type === adapter.type))
      throw refusal(name, `another one has the type ${adapter.type}`);
    adapters.push(adapter);
  }
  return adapters;
};

const load = async (name: string): Promise<PluggedAdapter> => {
  let exported: unknown;
  try {
    const isPath = name.startsWith('.') || name.startsWith('/');
    const path = isPath ? resolve(name) : createRequire(resolve('package.json')).resolve(name);
    exported = (await import(pathToFileURL(path).href)).default;
  } catch (error) {
    throw refusal(name, `it cannot be loaded: ${(error as Error).message}`);
  }
  if (typeof exported !== 'function') throw refusal(name, 'its default export must be a function');
  let adapter: Partial<PluggedAdapter> | undefined;
  try {
    adapter = exported({ z, DeliveryError, formatEvent });
  } catch (error) {
    throw refusal(name, `its function threw: ${(error as Error).message}`);
  }
  const { type, config, shown, open } = adapter ?? {};
  if (typeof type !== 'string' || !TYPE.test(type)) {
    throw refusal(name, 'its `type` must be lower-case letters, digits and `-`');
  }
  if (OURS.includes(type)) throw refusal(name, `the type ${type} is one of Clickrelay's own`);
  if (!(config instanceof z.ZodObject))
    throw refusal(name, 'its `config` must be an object of the `z` that it is given');
  if (shown !== undefined && !(Array.isArray(shown) && shown.every((field) => Object.hasOwn(config.shape, field)))) {
    throw refusal(name, 'its `shown` must be a list of names of fields of its `config`');
  }
  if (typeof open !== 'function') throw refusal(name, 'its `open` must be a function');
  return { type, config, ...(shown !== undefined && { shown }), open: open.bind(adapter) };
};

const refusal = (name: string, why: string): InvalidAdapterError =>
  new InvalidAdapterError(`ADAPTERS: ${name} is no adapter: ${why}`);
