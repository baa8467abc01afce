// A self-signed certificate for some names, which is its own authority.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function makeCertificate(names = ['localhost']) {
  const directory = mkdtempSync(join(tmpdir(), 'nexus-certificate-'));
  const certificate = join(directory, 'server.pem');
  const key = join(directory, 'server.key');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
    '-keyout', key, '-out', certificate, '-subj', '/CN=nexus test', '-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`], { stdio: 'ignore' });
  return { certificate, key, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
