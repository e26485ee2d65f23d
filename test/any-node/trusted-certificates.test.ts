import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { TrustedCertificates } from '../../lib/any-node/trusted-certificates.ts'
import { makeCertificate } from '../support/certificate.ts'

const MINUTE = 60_000

function certificates(t: Test, ...names: string[]) {
  const folder = t.testdir()
  return names.map((name) => {
    const files = makeCertificate(folder, name)
    const text = readFileSync(files.certificate, 'utf8')
    return { certificate: { cert: [text], key: [] }, raw: new X509Certificate(text).raw }
  })
}

t.test('a certificate that was replaced is accepted for ten minutes more', async (t) => {
  const [first, second, third] = certificates(t, 'first', 'second', 'third')
  if (!first || !second || !third) throw new Error('no certificates')
  let now = 0
  const trusted = new TrustedCertificates(first.certificate, () => now)
  const accepted = () => [first, second, third].map(({ raw }) => trusted.accepts(raw))
  t.strictSame(accepted(), [true, false, false])
  trusted.replace(second.certificate)
  t.strictSame(accepted(), [true, true, false])
  now = 6 * MINUTE
  trusted.replace(third.certificate)
  t.strictSame(accepted(), [true, true, true])
  now = 10 * MINUTE
  t.strictSame(accepted(), [false, true, true])
  now = 16 * MINUTE
  t.strictSame(accepted(), [false, false, true])
  now = 1000 * MINUTE
  t.strictSame(accepted(), [false, false, true], 'the newest is always')
})

t.test('of two certificates for different types of keys, each is accepted', async (t) => {
  const [one, other, issuer] = certificates(t, 'one', 'other', 'issuer')
  if (!one || !other || !issuer) throw new Error('no certificates')
  const [first = ''] = one.certificate.cert
  const trusted = new TrustedCertificates({
    cert: [first + issuer.certificate.cert[0], ...other.certificate.cert],
    key: [],
  })
  t.strictSame(
    [one, other, issuer].map(({ raw }) => trusted.accepts(raw)),
    [true, true, false],
    'but not that of an issuer',
  )
})
