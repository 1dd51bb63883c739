import { nearMiss } from '@clickrelay/core';

/** The variables of all programs, as docs/configuration.md lists them. A test compares it with their schemas. */
export const KNOWN_VARIABLES: readonly string[] = [
  'ADAPTERS',
  'API_HOST',
  'API_KEY',
  'API_PORT',
  'API_RATE_LIMIT',
  'API_URL',
  'CALLBACK_ALLOW_IPS',
  'CALLBACK_AUTH',
  'CALLBACK_INTEGRATION_IDS',
  'CALLBACK_PATH_PREFIX',
  'CLICKRELAY_COMMAND',
  'CLICKRELAY_REDIS_SERVER',
  'DATA_DIR',
  'DEDUPE_TTL',
  'DELIVERY_RETENTION',
  'DESTINATIONS_FILE',
  'DURABILITY',
  'EGRESS_ALLOW',
  'EVENT_LOG_MAX_BYTES',
  'EVENT_RETENTION',
  'HEARTBEAT_URL',
  'HOST',
  'KEEP_ALIVE_TIMEOUT',
  'LOG_LEVEL',
  'MAX_BODY_BYTES',
  'METRICS_TOKEN',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'PERSON_KEY',
  'PORT',
  'PUBLIC_URL',
  'REDIS_URL',
  'RETRY_SCHEDULE',
  'SPOOL_DIR',
  'SPOOL_MAX_BYTES',
  'TRUSTED_PROXIES',
];

export interface MisspeltVariable {
  readonly name: string;
  readonly meant: string;
}

/** Variables that nobody reads and that are nearly ours: with `EGRES_ALLOW`, nothing is opened, and nothing is said. */
export const misspeltVariables = (environment: Readonly<Record<string, string | undefined>>): MisspeltVariable[] =>
  Object.keys(environment).flatMap((name) => {
    const meant = nearMiss(name, KNOWN_VARIABLES);
    // Who sets both means the other for another program.
    return meant === undefined || environment[meant] !== undefined ? [] : [{ name, meant }];
  });

export const describeMisspelt = ({ name, meant }: MisspeltVariable): string =>
  `${name} is no variable of Clickrelay, and nobody reads it; did you mean ${meant}?`;
