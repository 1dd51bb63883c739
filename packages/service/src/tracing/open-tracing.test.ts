import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** The OpenTelemetry packages that a process loads when it opens traces with this environment. */
const loadedBy = (environment: object): string[] => {
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = new Set();
    registerHooks({ resolve: (name, context, next) => { loaded.add(name); return next(name, context); } });
    const { openTracing } = await import(${JSON.stringify(new URL('open-tracing.ts', import.meta.url).href)});
    const tracing = await openTracing({ environment: ${JSON.stringify(environment)}, service: 's', version: '1' });
    await tracing?.close();
    console.log(JSON.stringify([...loaded].filter((name) => name.startsWith('@opentelemetry/'))));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return JSON.parse(output);
};

it('loads nothing of OpenTelemetry unless the environment says where traces go', () => {
  expect(loadedBy({})).toEqual([]);
  expect(loadedBy({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toEqual([]);
  expect(loadedBy({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' })).toContain('@opentelemetry/sdk-trace');
});
