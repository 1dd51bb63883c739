/** One entry of CALLBACK_AUTH, as a sender needs it. */
export type CallbackCredential =
  | { kind: 'query'; secret: string }
  | { kind: 'basic'; user: string; password: string }
  | { kind: 'header'; name: string; value: string }
  | { kind: 'none' };

/** The valid entries of CALLBACK_AUTH, in their order. The receiver itself reports the others. */
export const readCallbackAuth = (text: string): CallbackCredential[] =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .flatMap((entry): CallbackCredential[] => {
      if (entry === 'none') return [{ kind: 'none' }];
      const [kind, rest] = cut(entry);
      const secret = rest.replaceAll(/%2c/gi, ',');
      const [first, second] = cut(secret);
      if (kind === 'query' && secret !== '') return [{ kind, secret }];
      if (kind === 'basic' && second !== '') return [{ kind, user: first, password: second }];
      if (kind === 'header' && second !== '') return [{ kind, name: first, value: second }];
      return [];
    });

/** A credential as CALLBACK_AUTH has it. */
export const callbackAuthEntry = (credential: CallbackCredential): string => {
  const escaped = (text: string): string => text.replaceAll(',', '%2C');
  switch (credential.kind) {
    case 'query':
      return `query:${escaped(credential.secret)}`;
    case 'basic':
      return `basic:${escaped(credential.user)}:${escaped(credential.password)}`;
    case 'header':
      return `header:${escaped(credential.name)}:${escaped(credential.value)}`;
    case 'none':
      return 'none';
  }
};

/** The callback URLs under a base. A query secret is part of them. */
export const callbackUrls = (
  base: string,
  pathPrefix: string,
  credential: CallbackCredential | undefined,
): { reply: string; status: string } => {
  const query = credential?.kind === 'query' ? `?token=${encodeURIComponent(credential.secret)}` : '';
  const start = `${base.replace(/\/+$/, '')}${pathPrefix.replace(/\/+$/, '')}`;
  return { reply: `${start}/one-api-reply${query}`, status: `${start}/one-api-status${query}` };
};

/** Cuts at the first colon: any further colons belong to the secret. */
const cut = (text: string): [before: string, after: string] => {
  const colon = text.indexOf(':');
  return colon === -1 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
};
