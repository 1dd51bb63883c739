export { Alerter, type AlerterOptions, type AlertLine } from './alerter.ts';
export {
  CHANNEL_TYPES,
  type Channel,
  channelDeclaration,
  completeChannel,
  type DeclaredChannel,
  hideChannel,
} from './channel.ts';
export { type HeartbeatOptions, openHeartbeat } from './heartbeat.ts';
export type { Clock, Sent } from './send.ts';
export type { ChannelState } from './state.ts';
