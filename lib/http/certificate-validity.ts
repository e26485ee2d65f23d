/** When the certificates that are sent to clients begin and end to be valid. */
import { X509Certificate } from 'node:crypto'
import { Failure } from '../failure.ts'
import type { Certificate } from './tls.ts'

/** Milliseconds since 1970. */
export interface Validity {
  readonly from: number
  readonly to: number
}

const known = new WeakMap<Certificate, Validity>()

/** The time in which all of a server's own certificates are valid, if there is one for each key type. */
export function validityOf(certificate: Certificate): Validity {
  const before = known.get(certificate)
  if (before) return before
  const own = certificate.cert.map((text) => new X509Certificate(text))
  const validity = {
    from: Math.max(...own.map(({ validFrom }) => Date.parse(validFrom))),
    to: Math.min(...own.map(({ validTo }) => Date.parse(validTo))),
  }
  known.set(certificate, validity)
  return validity
}

/** @throws Failure `configuration` if a certificate is not valid at a time */
export function checkValidity(certificate: Certificate, now: number = Date.now()): void {
  const { from, to } = validityOf(certificate)
  if (now < from)
    throw new Failure('configuration', `the certificate is valid only from ${dateText(from)} on`)
  if (now > to) throw new Failure('configuration', `the certificate has expired on ${dateText(to)}`)
}

function dateText(time: number): string {
  return new Date(time).toISOString()
}
