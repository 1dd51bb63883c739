import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) console.warn('NOT RUN: client certificates need openssl');

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** An authority, and certificates from it: of a server on 127.0.0.1, and of a client. */
export const makeCertificates = (): { authority: Pair; server: Pair; client: Pair } => {
  const folder = mkdtempSync(join(tmpdir(), 'clickrelay-certificates-'));
  const make = (name: string, ...more: string[]): Pair => {
    const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
    const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'];
    execFileSync('openssl', ['req', '-x509', ...fresh, '-keyout', key, '-out', cert, '-subj', `/CN=${name}`, ...more], {
      stdio: 'ignore',
    });
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  };
  try {
    const authority = make('authority');
    const by = ['-CA', join(folder, 'authority.pem'), '-CAkey', join(folder, 'authority.key')];
    const leaf = [...by, '-addext', 'basicConstraints=critical,CA:FALSE'];
    return {
      authority,
      server: make('server', ...leaf, '-addext', 'subjectAltName=IP:127.0.0.1'),
      client: make('client', ...leaf),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
};
