import type { UserConfig } from 'tsdown';
import { BUNDLED } from './tsdown.bundled.ts';

const base = { format: 'esm', platform: 'node', target: 'node24', fixedExtension: false, sourcemap: true } as const;

/** A package that others import: one entry and its types. */
export const library: UserConfig = { ...base, entry: ['src/index.ts'], dts: true };

/** Files of webhook-forwarder that are loaded by name, from beside the program. */
const besideTransforms = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, `../../packages/webhook-forwarder/dist/${name}.js`]));

/** Entries of programs that check transforms. */
export const CHECKS_TRANSFORMS = besideTransforms('transform-parser');
/** Entries of programs that run transforms too. */
export const RUNS_TRANSFORMS = besideTransforms('transform-parser', 'transform-process', 'transform-watch');

/**
 * A program that is started, never imported. Everything it needs is bundled: it runs without `node_modules`, and starts
 * sooner, because Node need not resolve and load hundreds of modules. Flat and without minifying: threads and processes
 * are found by name beside it, and stack traces stay readable.
 */
export const application = {
  ...base,
  sourcemap: false,
  entry: { main: 'src/main.ts' },
  dts: false,
  // The form of a package that can be bundled in part, which `main` often is not.
  inputOptions: { resolve: { mainFields: ['module', 'main'] } },
  deps: { alwaysBundle: [/.*/], onlyBundle: BUNDLED },
} satisfies UserConfig;
