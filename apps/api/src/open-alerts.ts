import { Alerter, type Channel, type ChannelState, openHeartbeat } from '@clickrelay/alerts';
import type { ChannelFacts, Verdict } from '@clickrelay/health';
import { openAlertRecords, type Store } from '@clickrelay/queue';
import type { Logger } from 'pino';

export interface AlertsOptions {
  readonly store: Store;
  readonly egressAllow: readonly string[];
  /** Called once a minute while something is judged. */
  readonly heartbeatUrl: string | undefined;
  readonly version: string;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly onError: (error: unknown) => void;
}

/** Who tells people what is wrong. */
export interface Alerts extends Pick<Alerter, 'test' | 'warningsOf' | 'refresh' | 'close'> {
  onVerdict(verdict: Verdict): void;
  facts(): readonly ChannelFacts[];
}

/** Tells the channels of alerts what this API judged, and a service that waits for it that it judges. */
export const openAlerts = ({ store, egressAllow, heartbeatUrl, version, log, onError }: AlertsOptions): Alerts => {
  const userAgent = `Clickrelay/${version}`;
  const ending = new AbortController();
  const alerter = new Alerter({
    records: openAlertRecords<Channel, ChannelState>(store),
    userAgent,
    egressAllow,
    onSent: (line) => {
      if (line.error === null) log.info(line, 'alert.sent');
      else log.warn(line, 'alert.failed');
    },
    onError,
  });
  // A process that is told nothing more of Redis than that it is away has to know whom to tell.
  store.ready().then(
    () => alerter.refresh(),
    () => {},
  );
  const beat =
    heartbeatUrl === undefined
      ? undefined
      : openHeartbeat({
          url: heartbeatUrl,
          userAgent,
          egressAllow,
          signal: ending.signal,
          onFailed: (code) => log.warn({ error: code }, 'heartbeat.failed'),
        });
  return {
    onVerdict: (verdict) => {
      alerter.onVerdict(verdict).catch(onError);
      beat?.(verdict).catch(onError);
    },
    facts: () => alerter.facts(),
    refresh: () => alerter.refresh(),
    test: (channel) => alerter.test(channel),
    warningsOf: (channel) => alerter.warningsOf(channel),
    close: async () => {
      ending.abort();
      await alerter.close();
    },
  };
};
