export { Registry } from '@prometheus-io/client';
export { type ApiMetrics, createApiMetrics } from './api.ts';
export { type AttemptMetrics, type CountedAttempt, createAttemptMetrics } from './attempts.ts';
export { createProcessMetrics, type ProcessMetrics, type ProcessRole } from './process.ts';
export { type Publishing, publishMetrics } from './publish.ts';
export { createReceiverMetrics, type ReceiverMetrics } from './receiver.ts';
export { createRenderer, type Renderer } from './render.ts';
export { setStateMetrics } from './state.ts';
export { createWorkerMetrics, type WorkerMetrics } from './worker.ts';
