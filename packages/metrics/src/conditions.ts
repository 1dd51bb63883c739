import { Gauge, type Registry } from '@prometheus-io/client';

/** Of a condition, what a metric shows. */
export interface ConditionToShow {
  readonly code: string;
  readonly severity: string;
  readonly state: string;
  readonly subject: { readonly kind: string; readonly id: string | null };
  /** ISO 8601 */
  readonly since: string;
  readonly inhibitedBy: string | null;
}

/** Sets a gauge for each condition that is raised and that no other explains. */
export const setConditionMetrics = (registry: Registry, conditions: readonly ConditionToShow[]): void => {
  const labelNames = ['code', 'severity', 'subject'] as const;
  const registers = [registry];
  const present = new Gauge({
    name: 'clickrelay_condition',
    help: '1 for each condition that is raised and that no other explains; the subject is the id of a destination, or a host',
    labelNames,
    registers,
  });
  const since = new Gauge({
    name: 'clickrelay_condition_since_seconds',
    help: 'For how long it has been true',
    labelNames,
    registers,
  });
  const untold = new Gauge({
    name: 'clickrelay_conditions_unknown',
    help: 'How many kinds of condition nobody can tell now; anything but 0 is not the same as fine',
    registers,
  });
  const own = conditions.filter(({ inhibitedBy }) => inhibitedBy === null);
  untold.set(own.filter(({ state }) => state === 'unknown').length);
  for (const { code, severity, state, subject, since: from } of own) {
    if (state !== 'raised' && state !== 'clearing') continue;
    const labels = { code, severity, subject: subject.id ?? '' };
    present.set(labels, 1);
    since.set(labels, Math.max(Date.now() - Date.parse(from), 0) / 1_000);
  }
};
