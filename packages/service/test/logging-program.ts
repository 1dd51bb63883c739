import { openLog } from '../src/log/index.ts';

/* Logs a line for each message, answers it, and ends in order when its parent goes away. */
const log = openLog('test', 'info');
process.on('message', (message) => {
  log.info(String(message));
  setImmediate(() => process.send?.(message));
});
process.once('disconnect', () => {
  log.info('end');
  process.exit(0);
});
log.info('ready');
process.send?.('ready');
