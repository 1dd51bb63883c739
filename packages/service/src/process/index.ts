export { atMost } from './at-most.ts';
export { endInTime } from './end-in-time.ts';
export { endWithParent } from './end-with-parent.ts';
export { listenForStop, type Stop, type StopOptions } from './listen-for-stop.ts';
export { orExit } from './or-exit.ts';
export { tellReady } from './tell-ready.ts';
