import { type ChildProcess, fork } from 'node:child_process';
import { fileBeside } from './file-beside.ts';
import { LIMITS, type TransformReply, type TransformRequest } from './transform-limits.ts';

/** How an evaluation ended: with a reply, or with the process. */
export type Ending = TransformReply | { readonly killed: NodeJS.Signals | null };

/** One event that waits for its evaluation. */
export interface Waiting {
  readonly input: string;
  /** @param usedMs how long the process has worked for it */
  settle(ending: Ending, usedMs: number): void;
  /** The process cannot be started. */
  giveUp(reason: string): void;
}

/** One destination's share of a process. */
export interface Share {
  readonly expression: string;
  readonly waiting: Set<Waiting>;
  /** How long the process has worked for it, in ms; starts no lower than that of the others with work waiting. */
  usedMs: number;
}

/** A process that evaluates transforms, one at a time. It starts with the first event and ends with its last share. */
export class TransformLane {
  readonly #shares = new Set<Share>();
  #child: ChildProcess | undefined;
  #isReady = false;
  #running: { share: Share; one: Waiting; since: number; timer: NodeJS.Timeout } | undefined;

  join(share: Share): void {
    share.usedMs = Math.max(share.usedMs, this.#leastUsed()?.usedMs ?? 0);
    this.#shares.add(share);
    this.runNext();
  }

  leave(share: Share): void {
    this.#shares.delete(share);
    if (this.#shares.size === 0) this.#stop();
  }

  add(share: Share, one: Waiting): void {
    if (share.waiting.size === 0) share.usedMs = Math.max(share.usedMs, this.#leastUsed()?.usedMs ?? 0);
    share.waiting.add(one);
    this.runNext();
  }

  runNext(): void {
    if (this.#running !== undefined) return;
    const share = this.#leastUsed();
    const [one] = share?.waiting ?? [];
    if (share === undefined || one === undefined) {
      // Let a program end that has nothing else to do.
      this.#child?.unref();
      this.#child?.channel?.unref();
      return;
    }
    this.#child ??= this.#start();
    this.#child.ref();
    this.#child.channel?.ref();
    if (!this.#isReady) return;
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), LIMITS.wallMs);
    this.#running = { share, one, since: performance.now(), timer };
    this.#child.send({ expression: share.expression, input: one.input } satisfies TransformRequest, () => {});
  }

  /**
   * The share that has used the process least goes first, so that a slow transform costs the others only its own share.
   */
  #leastUsed(): Share | undefined {
    let least: Share | undefined;
    for (const share of this.#shares) {
      if (share.waiting.size > 0 && (least === undefined || share.usedMs < least.usedMs)) least = share;
    }
    return least;
  }

  #start(): ChildProcess {
    const started = fork(fileBeside('transform-process'), {
      // It needs none of our settings.
      env: {},
      execArgv: [`--max-old-space-size=${LIMITS.memoryMb}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    started.on('message', (reply: 'ready' | TransformReply) => {
      if (started !== this.#child) return;
      if (reply === 'ready') this.#isReady = true;
      else this.#settle(reply);
      this.runNext();
    });
    const onEnd = (killed: NodeJS.Signals | null) => {
      if (started !== this.#child) return;
      const neverRan = !this.#isReady;
      this.#child = undefined;
      this.#isReady = false;
      // Trying again at once would go on for ever.
      if (neverRan) this.#giveUp('the process for transforms does not start');
      this.#settle({ killed });
      this.runNext();
    };
    started.on('error', () => onEnd(null));
    started.on('exit', (_, signal) => onEnd(signal));
    return started;
  }

  #settle(ending: Ending): void {
    if (this.#running === undefined) return;
    const { share, one, since, timer } = this.#running;
    this.#running = undefined;
    clearTimeout(timer);
    const usedMs = 'usedMs' in ending ? ending.usedMs : performance.now() - since;
    share.usedMs += usedMs;
    one.settle(ending, usedMs);
  }

  #giveUp(reason: string): void {
    for (const { waiting } of this.#shares) for (const one of [...waiting]) one.giveUp(reason);
  }

  #stop(): void {
    const stopped = this.#child;
    this.#child = undefined;
    this.#isReady = false;
    if (this.#running !== undefined) clearTimeout(this.#running.timer);
    this.#running = undefined;
    stopped?.kill('SIGKILL');
  }
}
