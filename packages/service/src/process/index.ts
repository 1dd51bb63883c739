export { atMost } from './at-most.ts';
export { listenForStop, type Stop, type StopOptions } from './listen-for-stop.ts';
export { orExit } from './or-exit.ts';
