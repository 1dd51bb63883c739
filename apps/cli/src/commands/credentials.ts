import type { Credential, RequestOf } from '@clickrelay/client';
import type { Command } from 'commander';
import { connectApi } from '../api-client.ts';
import { addCommand, addGroup } from '../command.ts';
import { shortTime, table } from '../format.ts';
import { type Context, show, WHOLE_PAGES } from './context.ts';

export const registerCredentials = (program: Command): void => {
  const credentials = addGroup(program, 'credentials', 'what callbacks from Clickatell must show');
  addCommand(credentials, {
    usage: 'list',
    about: 'list credentials, newest first, and when each was last used',
    example: 'credentials list',
    run: (_, __, context) => listCredentials(context),
  });
  addCommand(credentials, {
    usage: 'rotate',
    about: 'make a new one; the others are accepted until they are revoked',
    example: 'credentials rotate',
    run: (_, options: RotateOptions, context) => rotateCredential(options, context),
  })
    .option('--kind <kind>', 'query (in the URLs), basic or header', 'query')
    .option('--name <name>', 'the user of a basic one, the header of a header one')
    .option('--grace <duration>', 'end all others after this time: 24h, 7d (default: when they are revoked)');
  addCommand(credentials, {
    usage: 'revoke <id>',
    about: 'end one: no receiver accepts it any more',
    example: 'credentials revoke crd_5a0c1f9e77d2',
    run: ([id], options: RevokeOptions, context) => revokeCredential(id as string, options, context),
  })
    .option('--after <duration>', 'not now, but after this time: 1h, 7d')
    .option('--even-if-used', 'also when Clickatell has used it lately');
  addCommand(credentials, {
    usage: 'restore <id>',
    about: 'take back the end of one',
    example: 'credentials restore crd_5a0c1f9e77d2',
    run: ([id], _, context) => restoreCredential(id as string, context),
  });
};

const kindOf = ({ kind, name }: Pick<Credential, 'kind' | 'name'>): string =>
  name === null ? kind : `${kind} ${name}`;

const stateOf = ({ ended, endsAt, acceptedBy }: Credential): string => {
  if (ended) return `ended ${shortTime(endsAt ?? '')}`;
  if (endsAt !== null) return `ends ${shortTime(endsAt)}`;
  return acceptedBy.length > 0 ? 'accepted' : 'accepted by no receiver';
};

const listCredentials = async (context: Context): Promise<void> => {
  const all = await connectApi(context.config).all('GET /v1/credentials', WHOLE_PAGES);
  show(context, { items: all, next: null }, ({ items }) => {
    if (items.length === 0) return 'none is recorded yet; a receiver records those of its CALLBACK_AUTH';
    const rows = items.map((one) => [
      one.id,
      kindOf(one),
      one.origin === 'made' ? 'rotate' : 'CALLBACK_AUTH',
      stateOf(one),
      one.lastUsedAt === null ? 'never' : shortTime(one.lastUsedAt),
      String(one.acceptedBy.length),
    ]);
    return table(['CREDENTIAL', 'KIND', 'FROM', 'STATE', 'LAST USED', 'RECEIVERS'], rows);
  });
};

interface RotateOptions {
  kind: string;
  name?: string;
  grace?: string;
}

const rotateCredential = async ({ kind, name, grace }: RotateOptions, context: Context): Promise<void> => {
  const made = await connectApi(context.config).call('POST /v1/credentials', {
    body: {
      // The API checks it.
      kind: kind as NonNullable<RequestOf<'POST /v1/credentials'>['body']>['kind'],
      ...(name !== undefined && { name }),
      ...(grace !== undefined && { endOthersAfter: grace }),
    },
  });
  const { CLICKRELAY_COMMAND: command } = context.config;
  show(context, made, ({ id, user, secret, callbackUrls, acceptedBy, notYet, ...mark }) => {
    const urls = callbackUrls.public ?? callbackUrls.local;
    const by = acceptedBy.length === 1 ? '1 receiver accepts it' : `${acceptedBy.length} receivers accept it`;
    return [
      `${id} is made; ${by} beside the others`,
      ...notYet.map((process) => `! ${process} does not accept it yet: wait until \`${command} credentials\` says so`),
      '',
      ...(urls === null ? ['no receiver runs; its paths end in this:', `  ?token=${secret}`] : []),
      ...(urls === null
        ? []
        : ["to paste into Clickatell's portal:", `  replies   ${urls.replies}`, `  statuses  ${urls.statuses}`]),
      ...(mark.kind === 'basic' ? [`  user      ${user}`, `  password  ${secret}`] : []),
      ...(mark.kind === 'header' ? [`  ${mark.name}: ${secret}`] : []),
      '',
      grace === undefined
        ? `when callbacks come with it, end the old one: ${command} credentials revoke <id>`
        : `all others end in ${grace}: paste it before`,
    ].join('\n');
  });
};

interface RevokeOptions {
  after?: string;
  evenIfUsed?: true;
}

const revokeCredential = async (id: string, { after, evenIfUsed }: RevokeOptions, context: Context): Promise<void> => {
  const revoked = await connectApi(context.config).call('POST /v1/credentials/{id}/revoke', {
    path: { id },
    body: { ...(after !== undefined && { after }), ...(evenIfUsed && { evenIfUsed }) },
  });
  const { CLICKRELAY_COMMAND: command } = context.config;
  show(context, revoked, ({ endsAt, ended, notYet }) =>
    [
      ended ? `${id} is accepted no more` : `${id} is accepted until ${shortTime(endsAt ?? '')}`,
      ...notYet.map((process) => `! ${process} accepts it still`),
      `take that back with \`${command} credentials restore ${id}\``,
    ].join('\n'),
  );
};

const restoreCredential = async (id: string, context: Context): Promise<void> => {
  const restored = await connectApi(context.config).call('POST /v1/credentials/{id}/restore', { path: { id } });
  show(context, restored, () => `${id} is accepted again`);
};
