import { type Condition, SEVERITIES, type Severity, type Verdict } from './condition.ts';

/* What a surface shows of the one list. */

/** Told now: it has lasted long enough, and has not been over for long enough. */
export const isRaised = ({ state }: Condition): boolean => state === 'raised' || state === 'clearing';

/** Between Clickatell and the receiver: what `setup` is about. */
const CONNECTING: ReadonlySet<string> = new Set([
  'no_receiver',
  'receiver_not_ready',
  'anyone_may_post',
  'credential_unknown',
  'no_public_url',
  'public_url_not_https',
  'public_certificate_expiring',
  'callbacks_refused',
  'wrong_credentials',
  'strangers',
  'never_received',
  'silence',
]);

export const isAboutConnecting = ({ code }: Condition): boolean => CONNECTING.has(code);

/** A cause that nothing explains, and that nobody has acknowledged. */
const isOpen = ({ inhibitedBy, acknowledged }: Condition): boolean => inhibitedBy === null && acknowledged === null;

/** What is raised, at least as bad as this, and known to nobody. */
export const atLeast = (conditions: readonly Condition[], severity: Severity): Condition[] =>
  conditions.filter(
    (one) => isRaised(one) && isOpen(one) && SEVERITIES.indexOf(one.severity) <= SEVERITIES.indexOf(severity),
  );

/** What nobody can tell now, though nothing that is told explains it. */
export const untold = (conditions: readonly Condition[]): Condition[] =>
  conditions.filter((one) => one.state === 'unknown' && isOpen(one));

/** Whether a program that asks must hear of it: something is as bad as this, or nobody can tell. */
export const mustBeSeen = ({ conditions }: Pick<Verdict, 'conditions'>, severity: Severity): boolean =>
  atLeast(conditions, severity).length > 0 || untold(conditions).length > 0;
