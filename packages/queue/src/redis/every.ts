/** Does the job at this interval, and skips a turn while the last one goes on. */
export const every = (
  ms: number,
  job: () => Promise<void> | void,
  onError: (error: unknown) => void,
): NodeJS.Timeout => {
  let isBusy = false;
  return setInterval(async () => {
    if (isBusy) return;
    isBusy = true;
    try {
      await job();
    } catch (error) {
      onError(error);
    } finally {
      isBusy = false;
    }
  }, ms);
};
