/** The pages that need nothing but a relay: every one of them is looked at for accessibility, and for its picture. */
export const PAGES = [
  '/',
  '/intake',
  '/intake?hours=24',
  '/events',
  '/messages',
  '/deliveries',
  '/deliveries?state=pending&destination=crm',
  '/destinations',
  '/destinations/crm',
  '/dead-letters',
  '/quarantine',
  '/replays',
  '/ledger',
  '/setup',
  '/keys',
  '/no-such-page',
];
