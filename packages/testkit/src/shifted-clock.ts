import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Preloaded into a program: its wall clock is off by as much as a shared file says. Timers are not affected. */
const SOURCE = `
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long long *shift_ms;

__attribute__((constructor)) static void open_shift(void) {
  const char *path = getenv("CLOCK_SHIFT");
  int fd = path ? open(path, O_RDONLY) : -1;
  if (fd < 0) return;
  void *at = mmap(NULL, sizeof *shift_ms, PROT_READ, MAP_SHARED, fd, 0);
  if (at != MAP_FAILED) shift_ms = at;
  close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *ts) {
  int result = syscall(SYS_clock_gettime, clock, ts);
  if (result != 0 || !shift_ms || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return result;
  long long ns = (ts->tv_sec * 1000LL + *shift_ms) * 1000000LL + ts->tv_nsec;
  ts->tv_sec = ns / 1000000000LL;
  ts->tv_nsec = ns % 1000000000LL;
  return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone) {
  struct timespec ts;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &ts);
  tv->tv_sec = ts.tv_sec;
  tv->tv_usec = ts.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *at) {
  struct timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  if (at) *at = ts.tv_sec;
  return ts.tv_sec;
}
`;

/** Says why this machine cannot shift the clock of a program, or undefined. */
export const cannotShiftClock = (): string | undefined => {
  if (process.platform !== 'linux') return 'a clock is shifted with LD_PRELOAD, on Linux only';
  if (spawnSync('gcc', ['--version']).status !== 0) {
    return 'a clock is shifted with a library in C, and there is no gcc here';
  }
  return undefined;
};

/** A wall clock that programs share, and that can be put forward and back while they run. */
export interface ShiftedClock {
  /** The environment of those programs. */
  readonly env: Record<string, string>;
  /** Puts their clock to so many ms after that of this machine; negative: before it. */
  shift(ms: number): void;
  close(): void;
}

export const createShiftedClock = (): ShiftedClock => {
  const dir = mkdtempSync(join(tmpdir(), 'clickrelay-clock-'));
  const [source, library, shift] = [join(dir, 'clock.c'), join(dir, 'clock.so'), join(dir, 'shift')];
  writeFileSync(source, SOURCE);
  execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', library, source], { stdio: 'pipe' });
  const write = (ms: number): void => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(ms));
    // In place: the programs have this very file mapped.
    writeFileSync(shift, bytes, { flag: 'r+' });
  };
  writeFileSync(shift, Buffer.alloc(8));
  return {
    env: { LD_PRELOAD: library, CLOCK_SHIFT: shift },
    shift: write,
    close: () => rmSync(dir, { recursive: true }),
  };
};
