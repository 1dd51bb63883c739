import type { UserConfig } from 'tsdown';

const base = { format: 'esm', platform: 'node', target: 'node24', fixedExtension: false, sourcemap: true } as const;

/** A package that others import: one entry and its types. */
export const library: UserConfig = { ...base, entry: ['src/index.ts'], dts: true };

/** A program that is started, never imported. */
export const application = { ...base, entry: ['src/main.ts'], dts: false } satisfies UserConfig;
