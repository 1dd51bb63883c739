import { httpStatus } from '../../http-status.ts';
import type { Plan, RoleName } from './plan.ts';

/** How to find out whether each part is ready. If the receiver takes long, says once for each reason why. */
export const readiness = (
  { receiverUrl, apiUrl }: Plan,
  say: (line: string) => void,
): Record<RoleName, (messages: readonly unknown[]) => boolean | Promise<boolean>> => {
  /** From its first answer on: how long its process takes to start is the machine's. */
  let patientUntil: number | undefined;
  let told = '';
  return {
    receiver: async () => {
      const answer = await httpStatus(`${receiverUrl}/readyz`);
      if (answer?.status === 200) return true;
      if (answer === undefined) return false;
      patientUntil ??= performance.now() + 3000;
      if (performance.now() > patientUntil) {
        const reason = notReadyReason(answer.body);
        if (reason !== told) say(`the receiver is not ready yet: ${reason}`);
        told = reason;
      }
      return false;
    },
    worker: (messages) => messages.includes('ready'),
    api: async () => (await httpStatus(`${apiUrl}/healthz`))?.status === 200,
  };
};

const notReadyReason = (body: string): string => {
  try {
    return (JSON.parse(body) as { error: { message: string } }).error.message;
  } catch {
    return body.slice(0, 200);
  }
};
