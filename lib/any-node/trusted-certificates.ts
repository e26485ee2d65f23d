/**
 * Which certificates the master's daemon may have (certificate pinning): the
 * one of this node, as Ganeti has the same on all nodes. Ganeti replaces it on
 * one node after the other, so that for some time the one before it is accepted
 * as well.
 */
import { X509Certificate } from 'node:crypto'
import type { Certificate } from '../http/tls.ts'

/** How long a certificate that was replaced is still accepted, in milliseconds. */
const OVERLAP = 10 * 60_000

export class TrustedCertificates {
  readonly #now: () => number
  #current: readonly Buffer[]
  readonly #replaced: { readonly certificates: readonly Buffer[]; readonly until: number }[] = []

  /** @param now the time in milliseconds, by a clock that is never set back */
  constructor(first: Certificate, now: () => number = () => performance.now()) {
    this.#now = now
    this.#current = leavesOf(first)
  }

  /** Called when this node has another certificate. */
  replace(next: Certificate): void {
    this.#replaced.push({ certificates: this.#current, until: this.#now() + OVERLAP })
    this.#current = leavesOf(next)
  }

  /** @param certificate in its binary form (DER) */
  accepts(certificate: Buffer): boolean {
    while (this.#replaced[0] && this.#replaced[0].until <= this.#now()) this.#replaced.shift()
    const accepted = [...this.#current, ...this.#replaced.flatMap(({ certificates }) => certificates)]
    return accepted.some((one) => one.equals(certificate))
  }
}

/** The certificates of the daemon itself, without those of their issuers. */
function leavesOf({ cert }: Certificate): readonly Buffer[] {
  return cert.map((texts) => new X509Certificate(texts).raw)
}
