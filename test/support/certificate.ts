import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CertificateFiles {
  readonly key: string
  readonly certificate: string
  /** Both in one file, as Ganeti has them. */
  readonly pem: string
}

/** Makes a key and a certificate for this machine (localhost, 127.0.0.1 to .3, ::1) in a folder, signed with itself. */
export function makeCertificate(folder: string, name = 'server'): CertificateFiles {
  const files = {
    key: join(folder, `${name}.key`),
    certificate: join(folder, `${name}.crt`),
    pem: join(folder, `${name}.pem`),
  }
  execFileSync(
    'openssl',
    [
      ...['req', '-new', '-x509', '-days', '2', '-nodes', '-newkey', 'ec'],
      ...['-pkeyopt', 'ec_paramgen_curve:P-256', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.3,IP:::1'],
      ...['-keyout', files.key, '-out', files.certificate],
    ],
    { stdio: 'pipe' },
  )
  const both = [files.key, files.certificate].map((path) => readFileSync(path, 'utf8')).join('')
  writeFileSync(files.pem, both, { mode: 0o600 })
  return files
}
