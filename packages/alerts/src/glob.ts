/** Whether a code fits a pattern, in which `*` stands for any characters. */
export const matchesGlob = (pattern: string, code: string): boolean => {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[^\w]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(code);
};
