/** Makes keys and certificates for tests, with the openssl program. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface MadeCertificate {
  readonly certificate: string
  readonly key: string
}

const ALGORITHMS = {
  rsa: ['rsa:2048'],
  'rsa-pss': ['rsa-pss', '-pkeyopt', 'rsa_keygen_bits:2048'],
  ecdsa: ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
  'ecdsa-p384': ['ec', '-pkeyopt', 'ec_paramgen_curve:secp384r1'],
  ed25519: ['ed25519'],
  'weak-rsa': ['rsa:512'],
} as const

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/**
 * Makes a key and a certificate for localhost in a folder.
 * @param issuer who signs it; itself, if nobody else
 */
export function makeCertificate(
  folder: string,
  name: string,
  algorithm: keyof typeof ALGORITHMS = 'ecdsa',
  issuer?: MadeCertificate,
): MadeCertificate {
  const made = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) }
  openssl(
    ...['req', '-x509', '-newkey', ...ALGORITHMS[algorithm], '-nodes', '-days', '2'],
    ...['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost'],
    ...['-addext', 'basicConstraints=critical,CA:TRUE'],
    ...(issuer ? ['-CA', issuer.certificate, '-CAkey', issuer.key] : []),
    ...['-out', made.certificate, '-keyout', made.key],
  )
  return made
}

/** Writes several files one after the other into another. */
export function concatenate(target: string, ...sources: readonly string[]): string {
  writeFileSync(target, sources.map((path) => readFileSync(path, 'latin1')).join(''))
  return target
}

/** Writes a key again, encrypted; `traditional` for the form that PKCS #8 replaced. */
export function encryptKey(key: string, target: string, form: 'pkcs8' | 'traditional'): string {
  openssl(
    ...(form === 'pkcs8' ? ['pkcs8', '-topk8'] : ['rsa', '-aes128', '-traditional']),
    ...['-in', key, '-out', target, '-passout', 'pass:secret'],
  )
  return target
}
