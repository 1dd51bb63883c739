import type { ComponentChildren } from 'preact';

/** JSON in colours. Everything in it is text: no address becomes a link, no markup is carried out. */
export const Json = ({ value }: { value: unknown }) => <pre tabIndex={0}>{draw(value, '')}</pre>;

const INDENT = '  ';

const draw = (value: unknown, indent: string): ComponentChildren => {
  if (value === null || typeof value !== 'object') return <span class="v">{JSON.stringify(value) ?? 'null'}</span>;
  const isList = Array.isArray(value);
  const entries = Object.entries(value);
  const [opens, closes] = isList ? ['[', ']'] : ['{', '}'];
  if (entries.length === 0) return <span class="p">{opens + closes}</span>;
  return (
    <>
      <span class="p">{opens}</span>
      {entries.map(([name, inner], at) => (
        <>
          {`\n${indent}${INDENT}`}
          {!isList && (
            <>
              <span class="k">{JSON.stringify(name)}</span>
              <span class="p">: </span>
            </>
          )}
          {draw(inner, indent + INDENT)}
          {at < entries.length - 1 && <span class="p">,</span>}
        </>
      ))}
      {`\n${indent}`}
      <span class="p">{closes}</span>
    </>
  );
};
