import type { Condition, Severity } from '@clickrelay/health';

/** What a look at this machine found: what is wrong, as conditions, and what is fine, as words. */
export interface Findings {
  readonly conditions: readonly Condition[];
  readonly fine: readonly string[];
}

export const fine = (...words: string[]): Findings => ({ conditions: [], fine: words });

interface Wrong {
  readonly code: string;
  /** @default critical */
  readonly severity?: Severity;
  readonly sentence: string;
  readonly mend: string;
  /** A line to type. */
  readonly command?: string;
}

/** Something that only a program on this machine can see. docs/commands.md lists the codes. */
export const wrong = ({ code, severity = 'critical', sentence, mend, command }: Wrong): Findings => ({
  conditions: [
    {
      code,
      severity,
      state: 'raised',
      subject: { kind: 'relay', id: null },
      since: new Date().toISOString(),
      count: 0,
      sentence,
      mend: { text: mend, command: command ?? null, link: `docs/errors.md#${code}` },
      inhibitedBy: null,
      acknowledged: null,
    },
  ],
  fine: [],
});

export const together = (all: readonly Findings[]): Findings => ({
  conditions: all.flatMap(({ conditions }) => conditions),
  fine: all.flatMap(({ fine: words }) => words),
});
