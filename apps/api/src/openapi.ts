import { z } from 'zod';
import { createDocument, type ZodOpenApiPathsObject } from 'zod-openapi';
import { type Operation, revealQuery } from './operation.ts';
import { errorBody } from './schemas.ts';

const json = (schema: NonNullable<Operation['response']>) => ({ content: { 'application/json': { schema } } });

const refusal = (description: string) => ({ description, ...json(errorBody) });

/** The OpenAPI 3.1 document of these operations. */
export const openApiDocument = (operations: readonly Operation[], version: string): object => {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const {
    method,
    path,
    summary,
    description,
    scopes,
    isPublic,
    params,
    query: ownQuery,
    mask,
    body,
    response,
    responseType,
    status = 200,
    errors = {},
  } of operations) {
    const query = mask === undefined ? ownQuery : (ownQuery ?? z.object({})).extend(revealQuery.shape);
    const responses: Record<string, unknown> = {
      [status]: {
        description: 'done',
        ...(response && json(response)),
        ...(responseType && { content: { [responseType]: { schema: z.string() } } }),
      },
      401: refusal('`unauthorized`: no or another key'),
      429: refusal('`too_many_requests`: ask again after `Retry-After`'),
      503: refusal('`queue_unavailable`: Redis does not answer'),
    };
    const needs = scopes.map((scope) => `\`${scope}\``).join(' or ');
    const sentences = [description, needs && `Needs a key with the scope ${needs}.`].filter(Boolean);
    if (needs) {
      const unbound = scopes.includes('lease') ? '; `forbidden_destination`: it is not bound to this destination' : '';
      responses[403] = refusal(`\`forbidden_scope\`: the key has no scope ${needs}${unbound}`);
    }
    if (params ?? query ?? body) responses[400] = refusal('`invalid_request`: the request does not fit its schema');
    for (const [errorStatus, code] of Object.entries(errors)) responses[errorStatus] = refusal(`\`${code}\``);
    paths[path] = {
      ...paths[path],
      [method]: {
        operationId: `${method}${path.replace(/[^a-zA-Z]+([a-z]?)/g, (_, letter: string) => letter.toUpperCase())}`,
        summary,
        ...(isPublic && { security: [] }),
        ...(sentences.length > 0 && { description: sentences.join(' ') }),
        requestParams: { ...(params && { path: params }), ...(query && { query }) },
        ...(body && { requestBody: { required: !body.safeParse(undefined).success, ...json(body) } }),
        responses,
      },
    };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Clickrelay API',
      version,
      description: 'Events, deliveries, leases, dead letters, quarantine, destinations and keys.',
    },
    security: [{ key: [] }],
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
    paths: paths as ZodOpenApiPathsObject,
  });
};
