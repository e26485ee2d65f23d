/**
 * Reads certificate, key and chain, and makes sure that they belong together,
 * so that a mistake is found at the start or before a reload, not by clients.
 *
 * Ganeti keeps key and certificate in one file (`rapi.pem`); two files, and
 * certificates of the issuers in either the certificate's file or one of their
 * own, work as well.
 */
import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { Failure } from '../failure.ts'

export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
  /** Certificates of the issuers, to be sent after ours. */
  readonly chain?: string | undefined
}

/** A certificate that can be served: PEM texts, checked. */
export interface Certificate {
  /** Ours, then those of its issuers. */
  readonly cert: string
  readonly key: string
}

/**
 * Reads and checks what is needed to serve TLS.
 * @throws Failure `configuration` for a file that is missing, unreadable, not
 *   PEM, encrypted, too weak for OpenSSL, or does not fit the others; it names the file
 */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  const certificates = certificatesIn(
    'certificate',
    files.certificate,
    await read('certificate', files.certificate),
  )
  const keyText = await read('key', files.key)
  const key = privateKeyIn(keyText, files.key)
  if (!certificates[0]?.checkPrivateKey(key)) {
    throw new Failure(
      'configuration',
      `SSL key file '${files.key}' does not belong to the certificate in '${files.certificate}'`,
    )
  }
  if (files.chain !== undefined) {
    certificates.push(...certificatesIn('chain', files.chain, await read('chain', files.chain)))
  }
  const certificate = {
    cert: certificates.map((one) => one.toString()).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
  try {
    createSecureContext(tlsSettings(certificate))
  } catch (cause) {
    throw new Failure('configuration', `SSL certificate file '${files.certificate}' cannot be used`, {
      cause,
    })
  }
  return certificate
}

async function read(what: 'certificate' | 'key' | 'chain', path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    // The original's words, which leave nothing to explain.
    if (code === 'ENOENT' || code === 'EISDIR') {
      throw new Failure('configuration', `SSL ${what} file '${path}' was not found`)
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
 * what Mozilla recommends for general use, less finite-field Diffie-Hellman.
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

/** Session tickets stay good when the certificate is read again. */
const TICKET_KEYS = randomBytes(48)

/** How we speak TLS with a certificate. */
export function tlsSettings(certificate: Certificate): SecureContextOptions {
  return {
    ...certificate,
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS.join(':'),
    ticketKeys: TICKET_KEYS,
  }
}
