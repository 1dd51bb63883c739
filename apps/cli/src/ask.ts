import { createInterface } from 'node:readline';

/** Whether somebody sits at a terminal. */
export const canAsk = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** Asks the person at the terminal. @returns the answer; empty when there is none (Ctrl-C, Ctrl-D) */
export const ask = (question: string): Promise<string> =>
  new Promise((resolve) => {
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    let given: string | undefined;
    terminal.once('close', () => {
      if (given === undefined) process.stderr.write('\n');
      resolve(given ?? '');
    });
    terminal.question(question, (answer) => {
      given = answer;
      terminal.close();
    });
  });
