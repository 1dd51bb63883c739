import { describe, expect, it } from 'vitest';
import { operations, useApi } from './start-api.ts';

const api = useApi();
const { get } = api;

describe('the OpenAPI document', () => {
  it('shows every operation once, under a name of its own', async () => {
    const { status, body } = await get('/v1/openapi.json');
    expect([status, body.openapi, body.info.version]).toEqual([200, '3.1.0', '1.2.3']);
    const shown = Object.entries<Record<string, { operationId: string }>>(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(shown.sort()).toEqual(operations.map(({ method, path }) => `${method} ${path}`).sort());
    const names = Object.values<Record<string, { operationId: string }>>(body.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  it('describes the path parameters that its paths have', async () => {
    const { body } = await get('/v1/openapi.json');
    for (const [path, methods] of Object.entries<Record<string, { parameters?: { in: string; name: string }[] }>>(
      body.paths,
    )) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters = [] } of Object.values(methods)) {
        expect(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(named);
      }
    }
  });

  it('holds no generated secret', async () => {
    expect(JSON.stringify((await get('/v1/openapi.json')).body)).not.toMatch(/whsec_[A-Za-z0-9+/]{20}/);
  });
});
