import { type Range, warningsOfUrl } from '@clickrelay/webhook-forwarder';
import { warningsOfFilter } from './check-filter.ts';
import { warningsOfNames } from './check-names.ts';
import type { Declaration } from './declaration-schemas.ts';

/**
 * What is valid in a declaration and will probably not work: names that no event has, and addresses that are not
 * called. They are told, not refused: Clickatell may send new names tomorrow, and a worker elsewhere may call more than
 * this program.
 *
 * @param opened EGRESS_ALLOW of this program
 */
export const warningsOf = (declared: Declaration, opened: readonly Range[]): string[] => {
  const { filter } = declared;
  return [
    ...warningsOfNames(declared),
    ...(filter === undefined ? [] : warningsOfFilter(filter)),
    ...urlsOf(declared).flatMap((url) => warningsOfUrl(url, opened)),
  ];
};

const urlsOf = (declared: Declaration): string[] => {
  if (declared.type !== 'webhook') return [];
  const { url, auth } = declared;
  return auth?.type === 'oauth2' ? [url, auth.tokenUrl] : [url];
};
