/** A script that Redis runs, imported as text: see `tsdown.config.ts` and `vitest.config.ts`. */
declare module '*.lua' {
  const script: string;
  export default script;
}
