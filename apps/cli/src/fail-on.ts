import { type Condition, mustBeSeen, SEVERITIES, type Severity } from '@clickrelay/health';
import { Option } from 'commander';
import { EXIT } from './errors.ts';

export interface FailOn {
  failOn?: Severity;
}

/** The option of commands whose exit code says whether something is wrong. */
export const failOnOption = (about: string): Option =>
  new Option('--fail-on <severity>', about).choices([...SEVERITIES]);

/** 1 when something is as bad as this and nobody knows of it, or when it cannot be told; else 0. */
export const exitCodeOf = (conditions: readonly Condition[], { failOn = 'warning' }: FailOn): number =>
  mustBeSeen({ conditions }, failOn) ? EXIT.wrong : 0;
