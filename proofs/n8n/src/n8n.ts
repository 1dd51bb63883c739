import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '@clickrelay/service/machine';
import { type Program, startProgram } from '@clickrelay/testkit';
import { n8nProgram } from './install.ts';
import { installPackage } from './install-package.ts';
import { createN8nClient, type N8nClient } from './n8n-client.ts';
import { notePid } from './pids.ts';

export interface N8n {
  readonly client: N8nClient;
  readonly url: string;
  readonly pid: number;
  /** The only folder whose files its workflows may read and write. */
  readonly filesFolder: string;
  /** Its output since its last start. */
  log(): string;
  /** Ends it as a crash does: it finishes nothing and tells nobody. */
  kill(): Promise<void>;
  /** Starts it again on the same data, after `kill` or `stop`. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface N8nOptions {
  /** The folder of its database, settings and community packages. */
  folder: string;
  /** Our package as `npm pack` makes it. */
  tarball: string;
  /** Further variables of n8n; they override ours. */
  env?: Record<string, string>;
}

/** Starts a fresh n8n with our package, and creates its owner. */
export const startN8n = async ({ folder, tarball, env = {} }: N8nOptions): Promise<N8n> => {
  if (!existsSync(n8nProgram)) throw new Error('n8n is not installed; run `./test n8n`, which installs it');
  await mkdir(folder, { recursive: true });
  await installPackage(tarball, folder);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const environment = { ...settings(folder, port, await freePort()), ...env };
  const client = createN8nClient(url);
  let program: Program;
  let forgetPid: () => void = () => {};

  const start = async (): Promise<void> => {
    program = await startProgram({
      args: [n8nProgram, 'start'],
      env: environment,
      cwd: folder,
      // The port is open and /healthz answers while migrations still run; only this line says that everything is done,
      // including the activation of workflows.
      readyOutput: /Editor is now accessible/,
      timeoutMs: 110_000,
    });
    forgetPid = notePid(program.pid);
    await client.connect();
  };
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    await program.stop(signal, 40_000);
    forgetPid();
  };

  await start();
  return {
    client,
    url,
    filesFolder: filesFolderOf(folder),
    get pid() {
      return program.pid;
    },
    log: () => program.stdout() + program.stderr(),
    kill: () => end('SIGKILL'),
    start,
    stop: () => end('SIGTERM'),
  };
};

/** n8n as shipped, but only on this machine, without calls home, and with machine-readable output. */
const settings = (folder: string, port: number, brokerPort: number): Record<string, string> => ({
  N8N_USER_FOLDER: folder,
  N8N_HOST: '127.0.0.1',
  N8N_LISTEN_ADDRESS: '127.0.0.1',
  N8N_PORT: String(port),
  N8N_PROTOCOL: 'http',
  N8N_WEBHOOK_URL: `http://127.0.0.1:${port}/`,
  N8N_RUNNERS_BROKER_PORT: String(brokerPort),
  N8N_SECURE_COOKIE: 'false',
  N8N_ENCRYPTION_KEY: 'only-for-tests-not-a-secret',
  N8N_DIAGNOSTICS_ENABLED: 'false',
  N8N_DIAGNOSTICS_CONFIG_FRONTEND: '',
  N8N_DIAGNOSTICS_CONFIG_BACKEND: '',
  N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
  N8N_VERSION_NOTIFICATIONS_WHATS_NEW_ENABLED: 'false',
  N8N_DYNAMIC_BANNERS_ENABLED: 'false',
  N8N_TEMPLATES_ENABLED: 'false',
  N8N_HIRING_BANNER_ENABLED: 'false',
  N8N_PERSONALIZATION_ENABLED: 'false',
  N8N_LICENSE_AUTO_RENEW_ENABLED: 'false',
  N8N_VERIFIED_PACKAGES_ENABLED: 'false',
  N8N_UNVERIFIED_PACKAGES_ENABLED: 'true',
  N8N_DISABLED_MODULES: 'mcp-registry',
  N8N_ENFORCE_SETTINGS_FILE_PERMISSIONS: 'true',
  N8N_RESTRICT_FILE_ACCESS_TO: filesFolderOf(folder),
  N8N_LOG_LEVEL: 'info',
  GENERIC_TIMEZONE: 'UTC',
  NO_COLOR: '1',
});

const filesFolderOf = (folder: string): string => join(folder, 'files');
