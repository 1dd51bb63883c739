import { type CallbackCredential, callbackUrls } from '@clickrelay/service/settings';
import { HIDDEN } from '../../format.ts';

export interface ScreenFacts {
  version: string;
  /** What runs here: receiver, worker, api. */
  roles: readonly string[];
  receiverUrl: string | undefined;
  apiUrl: string | undefined;
  /** PUBLIC_URL. */
  publicUrl: string | undefined;
  port: number;
  pathPrefix: string;
  credential: CallbackCredential | undefined;
  dataDir: string;
  /** Where the API key can be read; undefined when it came from the environment. */
  apiKeyFile: string | undefined;
  /** Without credentials. */
  redis: string;
  logFile: string | undefined;
  /** How to write this command. */
  command: string;
}

/** The screen that `start` prints when everything is ready, to be followed from top to bottom. */
export const screen = (facts: ScreenFacts): string => {
  const { roles, command, credential } = facts;
  const lines = [`Clickrelay ${facts.version} is ready (${roles.join(', ')}).`, ''];
  const row = (name: string, value: string) => lines.push(`  ${name.padEnd(10)} ${value}`);

  if (facts.receiverUrl !== undefined) {
    const urls = callbackUrls(facts.publicUrl ?? `http://localhost:${facts.port}`, facts.pathPrefix, credential);
    lines.push("Callback URLs, to paste into Clickatell's portal:");
    row('replies', urls.reply);
    row('statuses', urls.status);
    const note = credentialNote(credential, command);
    if (note !== undefined) lines.push(`  ${note}`);
    if (facts.publicUrl === undefined) {
      lines.push(
        `  Clickatell needs https and a public name: put a proxy or a tunnel in front of port ${facts.port},`,
        '  and start with PUBLIC_URL=https://… to see the URLs that Clickatell must call.',
      );
    }
    lines.push('');
  }

  if (facts.apiUrl !== undefined) {
    row('Console', `${facts.apiUrl}/`);
    row('API', facts.apiUrl + (facts.apiKeyFile === undefined ? '' : `  (key: apiKey in ${facts.apiKeyFile})`));
  }
  row('Data', facts.dataDir);
  row('Redis', facts.redis);
  if (facts.logFile !== undefined) row('Logs', facts.logFile);
  lines.push('');

  if (facts.receiverUrl !== undefined) row('Try it', `${command} send moText`);
  if (facts.apiUrl !== undefined) {
    row('Watch', `${command} tail`);
    row('Deliver', `${command} destinations add crm --url https://crm.example.com/clickatell`);
  }
  row('Mend', `${command} doctor`);
  return `${lines.join('\n')}\n`;
};

const credentialNote = (credential: CallbackCredential | undefined, command: string): string | undefined => {
  switch (credential?.kind) {
    case 'query':
      return credential.secret === HIDDEN ? `${HIDDEN}: \`${command} setup --reveal\` shows it` : undefined;
    case 'basic':
      return `with basic authentication: user ${credential.user}, the password from CALLBACK_AUTH`;
    case 'header':
      return `with the header ${credential.name}: the secret from CALLBACK_AUTH`;
    case 'none':
      return 'CALLBACK_AUTH=none: anyone who knows these URLs can post to them';
    default:
      return undefined;
  }
};
