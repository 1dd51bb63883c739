/** One line of `doctor`. */
export interface Check {
  readonly name: string;
  /** Null when it cannot be seen from here. */
  readonly ok: boolean | null;
  readonly found: string;
  /** What to do if it is not ok. */
  readonly mend?: string;
}

export const good = (name: string, found: string): Check => ({ name, ok: true, found });
export const bad = (name: string, found: string, mend: string): Check => ({ name, ok: false, found, mend });
export const unseen = (name: string, found: string, mend: string): Check => ({ name, ok: null, found, mend });
