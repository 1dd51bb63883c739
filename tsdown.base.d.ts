import type { UserConfig } from 'tsdown';
/** A package that others import: one entry and its types. */
export declare const library: UserConfig;
/** A program that is started, never imported. */
export declare const application: UserConfig;
