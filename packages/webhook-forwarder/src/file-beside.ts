/** A file that is loaded by its name and lies beside this one, be it the source, the build, or the bundle of a program. */
export const fileBeside = (name: string): URL =>
  new URL(`./${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
