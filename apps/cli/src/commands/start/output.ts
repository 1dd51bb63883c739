import { type LogOutput, logFile, logsToFile, logsToStderr } from './logs.ts';

/** How `start` talks, and where the log lines of the parts go. */
export interface Output {
  readonly isForPeople: boolean;
  readonly say: (line: string) => void;
  readonly openLogs: () => LogOutput;
  /** Undefined when log lines go to stderr. */
  readonly logFile: string | undefined;
}

/** For the person at a terminal, or as JSON lines for a service manager or a container. */
export const openOutput = (dataDir: string): Output =>
  process.stderr.isTTY === true
    ? {
        isForPeople: true,
        say: (line) => writeLine(`clickrelay: ${line}`),
        openLogs: () => logsToFile(dataDir, writeLine),
        logFile: logFile(dataDir),
      }
    : {
        isForPeople: false,
        // In the form of the parts' own log lines.
        say: (line) => writeLine(JSON.stringify({ level: 30, time: Date.now(), name: 'clickrelay', msg: line })),
        openLogs: () => logsToStderr,
        logFile: undefined,
      };

const writeLine = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
