/**
 * Reads certificates, keys and chain, and checks that they belong together, so
 * that a mistake is found at the start or at a reload, not by clients.
 *
 * Ganeti has an RSA key and its certificate in one file (`rapi.pem`). Also
 * supported: two files, certificates of the issuers in the certificate's file or
 * in one of their own, and an ECDSA pair in addition to the RSA one.
 */
import { constants, createPrivateKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto'
import { hostname } from 'node:os'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { Failure } from '../failure.ts'
import { readStable } from '../files/stable-read.ts'

/** The files of one key and its certificate. */
export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
  /** Certificates of the issuers, to be sent after ours. */
  readonly chain?: string | undefined
}

/** Checked PEM texts; more than one if clients can choose between key types. */
export interface Certificate {
  /** For each key type: our certificate, then those of its issuers. */
  readonly cert: readonly string[]
  /** The keys, in the same order. */
  readonly key: readonly string[]
}

/** A key and its certificates, as read. */
interface KeyPair {
  readonly files: CertificateFiles
  readonly key: KeyObject
  readonly leaf: X509Certificate
  /** Those of the leaf's file, then those of the chain file. */
  readonly issuers: readonly X509Certificate[]
}

/**
 * Reads and checks the files for TLS.
 *
 * @param pairs one key and certificate, or several with keys of different types, of which OpenSSL selects one
 *   that the client supports. A single certificate is sent with the whole chain file, one of several with those
 *   certificates of its chain file that issued it, directly or through intermediates.
 * @throws Failure `configuration` for a file that is missing, unreadable, not
 *   PEM, encrypted, too weak for OpenSSL, or does not match the others; it names the file
 */
export async function readCertificate(...pairs: readonly CertificateFiles[]): Promise<Certificate> {
  const checked: KeyPair[] = []
  const texts: Texts = new Map()
  for (const files of pairs) {
    const pair = await readPair(files, pairs.length > 1, texts)
    const same = checked.find(({ key }) => key.asymmetricKeyType === pair.key.asymmetricKeyType)
    if (same) {
      const type = pair.key.asymmetricKeyType?.toUpperCase()
      throw new Failure(
        'configuration',
        `SSL key files '${same.files.key}' and '${files.key}' both hold a key of type ${type}: only one of each type can be served`,
      )
    }
    checked.push(pair)
  }
  return servable(checked)
}

async function readPair(files: CertificateFiles, oneOfMany: boolean, texts: Texts): Promise<KeyPair> {
  const { certificate, key: keyFile, chain: chainFile } = files
  const read = (what: PemKind, path: string) => readOnce(what, path, texts, missingStep(what, files))
  const [leaf, ...others] = certificatesIn('certificate', certificate, await read('certificate', certificate))
  const key = privateKeyIn(await read('key', keyFile), keyFile)
  if (!leaf?.checkPrivateKey(key)) {
    throw new Failure(
      'configuration',
      `SSL key file '${keyFile}' does not belong to the certificate in '${certificate}'`,
    )
  }
  const chain =
    chainFile === undefined ? [] : certificatesIn('chain', chainFile, await read('chain', chainFile))
  const pair = { files, key, leaf, issuers: [...others, ...(oneOfMany ? issuersOf(leaf, chain) : chain)] }
  try {
    createSecureContext(tlsSettings(servable([pair])))
  } catch (cause) {
    throw new Failure('configuration', `SSL certificate file '${certificate}' cannot be used`, { cause })
  }
  return pair
}

/** Those of `candidates` that issued a certificate, directly or through intermediates, in their order. */
function issuersOf(leaf: X509Certificate, candidates: readonly X509Certificate[]): X509Certificate[] {
  const found = new Set([leaf])
  // A loop over a set includes elements that are added during the loop.
  for (const subject of found) {
    for (const candidate of candidates) {
      if (subject.checkIssued(candidate) && subject.verify(candidate.publicKey)) found.add(candidate)
    }
  }
  return candidates.filter((candidate) => found.has(candidate))
}

function servable(pairs: readonly KeyPair[]): Certificate {
  return {
    cert: pairs.map(({ leaf, issuers }) => [leaf, ...issuers].map((one) => one.toString()).join('')),
    key: pairs.map(({ key }) => key.export({ type: 'pkcs8', format: 'pem' }).toString()),
  }
}

type PemKind = 'certificate' | 'key' | 'chain'

/** What to do about a file that is missing. The command overwrites nothing that is there. */
function missingStep(what: PemKind, { certificate, key }: CertificateFiles): string {
  if (what === 'chain') return '--ssl-chain must name a file with the certificates of the issuers'
  if (what === 'key') return '-K must name the file with the private key of the certificate'
  const names = [...new Set([hostname(), 'localhost'])]
  const command = [
    'openssl req -x509 -days 1825 -nodes -subj',
    `/CN=${names[0]} -addext subjectAltName=${names.map((name) => `DNS:${name}`).join()}`,
    key === certificate ? `-newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout ${key}` : `-key ${key}`,
    `-out ${certificate}`,
  ]
  return `to make one: ${command.join(' ')}; or serve without TLS: --no-ssl`
}

/** File contents by path: if key and certificate are in one file, it is read only once, so they match. */
type Texts = Map<string, string>

async function readOnce(what: PemKind, path: string, texts: Texts, nextStep: string): Promise<string> {
  const known = texts.get(path)
  if (known !== undefined) return known
  try {
    const text = (await readStable(path)).bytes.toString('latin1')
    texts.set(path, text)
    return text
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    // The original's message; a cause would add nothing.
    if (code === 'ENOENT' || code === 'EISDIR') {
      throw new Failure('configuration', `SSL ${what} file '${path}' was not found`, { nextStep })
    }
    throw new Failure('configuration', `SSL ${what} file '${path}' cannot be read`, { cause })
  }
}

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

function certificatesIn(what: 'certificate' | 'chain', path: string, text: string): X509Certificate[] {
  const blocks = text.match(CERTIFICATES)
  if (!blocks) throw new Failure('configuration', `SSL ${what} file '${path}' holds no certificate`)
  return blocks.map((block) => {
    try {
      return new X509Certificate(block)
    } catch (cause) {
      throw new Failure('configuration', `SSL ${what} file '${path}' holds a broken certificate`, {
        cause,
      })
    }
  })
}

const PRIVATE_KEY = /-----BEGIN ((?:\w+ )*)PRIVATE KEY-----[\s\S]*?-----END \1PRIVATE KEY-----/

function privateKeyIn(text: string, path: string): KeyObject {
  const [block, kind] = PRIVATE_KEY.exec(text) ?? []
  if (!block) throw new Failure('configuration', `SSL key file '${path}' holds no private key`)
  if (kind === 'ENCRYPTED ' || /^Proc-Type:.*ENCRYPTED/m.test(block)) {
    throw new Failure(
      'configuration',
      `SSL key file '${path}' is encrypted; a key without passphrase is needed`,
    )
  }
  try {
    return createPrivateKey(block)
  } catch (cause) {
    throw new Failure('configuration', `SSL key file '${path}' holds a broken private key`, { cause })
  }
}

/**
 * Authenticated ciphers with forward secrecy, for ECDSA and RSA certificates:
 * Mozilla's recommendation for general use, without finite-field Diffie-Hellman.
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
]

/**
 * Only elliptic curves, and only cheap ones: the client selects the group, and
 * an expensive one would cost the server much and the client nothing.
 */
const GROUPS = ['X25519', 'P-256', 'P-384']

/** Constant, so that session tickets stay valid when the certificate is reloaded. */
const TICKET_KEYS = randomBytes(48)

/** The TLS settings for a certificate. */
export function tlsSettings({ cert, key }: Certificate): SecureContextOptions {
  return {
    cert: [...cert],
    key: [...key],
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS.join(':'),
    ecdhCurve: GROUPS.join(':'),
    // Renegotiation costs the server much and the client little; Node allows three.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    ticketKeys: TICKET_KEYS,
  }
}
