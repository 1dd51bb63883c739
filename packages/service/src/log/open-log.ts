import { type Logger, pino } from 'pino';
import { openStdout } from './stdout.ts';

/** The log of a process: JSON lines on stdout, each with the app and the pid. */
export const openLog = (app: string, level: string): Logger =>
  pino({ level, base: { app, pid: process.pid } }, openStdout());
