/* Turns the operations of an OpenAPI document into the TypeScript types of packages/client. */

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly description?: string;
}

interface Content {
  readonly content?: { readonly 'application/json'?: { readonly schema: Schema } };
}

interface Described {
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly { in: 'path' | 'query'; name: string; required?: boolean; schema: Schema }[];
  readonly requestBody?: Content & { readonly required?: boolean };
  readonly responses: Readonly<Record<string, Content>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const literal = (value: unknown): string => JSON.stringify(value);
const isName = (text: string): boolean => /^[A-Za-z_]\w*$/.test(text);

const comment = (text: string | undefined, indent: string): string =>
  text === undefined ? '' : `${indent}/** ${text.replaceAll('*/', '* /')} */\n`;

const union = (schemas: readonly Schema[], indent: string): string =>
  [...new Set(schemas.map((one) => typeOf(one, indent)))].join(' | ');

const typeOf = (schema: Schema, indent: string): string => {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1) as string;
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(literal).join(' | ');
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return union(alternatives, indent);
  if (schema.allOf !== undefined) return schema.allOf.map((one) => `(${typeOf(one, indent)})`).join(' & ');
  if (Array.isArray(schema.type)) {
    return union(
      schema.type.map((type: string) => ({ ...schema, type })),
      indent,
    );
  }
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
    case 'undefined':
      return schema.type;
    case 'number':
    case 'integer':
      return 'number';
    case 'array':
      return `(${typeOf(schema.items ?? {}, indent)})[]`;
    case 'object':
      return objectOf(schema, indent);
    default:
      return 'unknown';
  }
};

const objectOf = ({ properties = {}, required = [], additionalProperties }: Schema, indent: string): string => {
  const inner = `${indent}  `;
  const fields = Object.entries(properties).map(([name, schema]) => {
    const key = isName(name) ? name : literal(name);
    const type = typeOf(schema, inner);
    const field = required.includes(name) ? `${key}: ${type}` : `${key}?: ${type}`;
    return `${comment(schema.description, inner)}${inner}${field};\n`;
  });
  if (additionalProperties !== undefined && additionalProperties !== false) {
    const others = additionalProperties === true || fields.length > 0 ? 'unknown' : typeOf(additionalProperties, inner);
    fields.push(`${inner}[other: string]: ${others};\n`);
  }
  return fields.length === 0 ? 'Record<string, never>' : `{\n${fields.join('')}${indent}}`;
};

/** Allows `undefined` for optional fields of requests: JSON and queries leave such fields out. */
const lenient = (schema: Schema): Schema => {
  const { properties = {}, required = [], anyOf, oneOf, items } = schema;
  const of = (name: string, inner: Schema): Schema =>
    required.includes(name)
      ? lenient(inner)
      : {
          anyOf: [lenient(inner), { type: 'undefined' }],
          ...(inner.description && { description: inner.description }),
        };
  return {
    ...schema,
    properties: Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, of(name, inner)])),
    ...(anyOf && { anyOf: anyOf.map(lenient) }),
    ...(oneOf && { oneOf: oneOf.map(lenient) }),
    ...(items && { items: lenient(items) }),
  };
};

const parametersOf = ({ parameters = [] }: Described, place: 'path' | 'query'): Schema | undefined => {
  const own = parameters.filter((one) => one.in === place);
  if (own.length === 0) return undefined;
  return {
    type: 'object',
    properties: Object.fromEntries(own.map(({ name, schema }) => [name, schema])),
    required: own.filter((one) => one.required).map(({ name }) => name),
  };
};

const operationOf = (name: string, operation: Described): string => {
  const indent = '    ';
  const parts: string[] = [];
  for (const place of ['path', 'query'] as const) {
    const schema = parametersOf(operation, place);
    if (schema === undefined) continue;
    const optional = schema.required?.length === 0;
    parts.push(
      `${indent}${place}${optional ? '?' : ''}: ${typeOf(lenient(schema), indent)}${optional ? ' | undefined' : ''};\n`,
    );
  }
  const body = operation.requestBody?.content?.['application/json']?.schema;
  if (body !== undefined) {
    const isRequired = operation.requestBody?.required === true;
    parts.push(
      `${indent}body${isRequired ? '' : '?'}: ${typeOf(lenient(body), indent)}${isRequired ? '' : ' | undefined'};\n`,
    );
  }
  const [, done] = Object.entries(operation.responses).find(([status]) => status.startsWith('2')) ?? [];
  const answer = done?.content?.['application/json']?.schema;
  parts.push(`${indent}answer: ${answer === undefined ? 'undefined' : typeOf(answer, indent)};\n`);
  const explained = [operation.summary, operation.description].filter(Boolean).join('. ');
  return `${comment(explained, '  ')}  '${name}': {\n${parts.join('')}  };\n`;
};

/** A response that is not JSON is a stream, which the client does not read. */
const isStream = ({ responses }: Described): boolean =>
  Object.values(responses).some(({ content }) => content !== undefined && content['application/json'] === undefined);

export const clientTypes = (document: object): string => {
  const { paths, components } = document as Document;
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `${comment(schema.description, '')}export type ${name} = ${typeOf(schema, '')};\n`,
  );
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, operation]) => !isStream(operation))
      .map(([method, operation]) => operationOf(`${method.toUpperCase()} ${path}`, operation)),
  );
  return [
    '// Made by scripts/interface-docs.ts from docs/openapi.json. Change the schemas of the API, then run it.\n',
    ...schemas,
    `/** Everything that the API can do. */\nexport interface Operations {\n${operations.join('')}}\n`,
  ].join('\n');
};
