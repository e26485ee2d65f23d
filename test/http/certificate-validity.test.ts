import t from 'tap'
import { checkValidity, validityOf } from '../../lib/http/certificate-validity.ts'
import { readCertificate } from '../../lib/http/tls.ts'
import { makeCertificate } from './certificates.ts'

const DAY = 24 * 3600 * 1000

t.test('a certificate is valid from its first second to its last', async (t) => {
  const certificate = await readCertificate(makeCertificate(t.testdir(), 'server'))
  const { from, to } = validityOf(certificate)
  t.equal(to - from, 2 * DAY)
  t.ok(Math.abs(Date.now() - from) < DAY)
  checkValidity(certificate)
  checkValidity(certificate, from)
  checkValidity(certificate, to)
  const date = (time: number) => new Date(time).toISOString()
  t.throws(() => checkValidity(certificate, from - 1000), {
    code: 'configuration',
    message: `the certificate is valid only from ${date(from)} on`,
  })
  t.throws(() => checkValidity(certificate, to + 1000), {
    message: `the certificate has expired on ${date(to)}`,
  })
})

t.test('of two certificates, the one that expires first counts', async (t) => {
  const folder = t.testdir()
  const [rsa, ecdsa] = [makeCertificate(folder, 'rsa', 'rsa'), makeCertificate(folder, 'ec')]
  const both = await readCertificate(rsa, ecdsa)
  const ends = await Promise.all(
    [rsa, ecdsa].map(async (files) => validityOf(await readCertificate(files)).to),
  )
  t.equal(validityOf(both).to, Math.min(...ends))
  t.equal(both.cert.length, 2)
})
