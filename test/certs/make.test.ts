import { execFileSync, spawnSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { chmodSync, copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

const SCRIPT = fileURLToPath(new URL('../../../certs/make', import.meta.url))
const NEEDS_OPENSSL = {
  skip: spawnSync('openssl', ['version'], { stdio: 'ignore' }).error ? 'openssl is not installed' : false,
}

/** A folder with the script in it, and what it takes to run it and read what it made. */
function certs(t: Test) {
  const dir = t.testdir({})
  const script = join(dir, 'make')
  const pem = join(dir, 'rapi.pem')
  copyFileSync(SCRIPT, script)
  return {
    dir,
    pem,
    make: () => execFileSync('sh', [script], { stdio: ['ignore', 'pipe', 'pipe'] }),
    read: () => readFileSync(pem, 'utf8'),
  }
}

t.test('certs/make can be run', async (t) => {
  t.equal(statSync(SCRIPT).mode & 0o111, 0o111)
})

t.test(
  'certs/make makes key and certificate for this machine, for the owner alone',
  NEEDS_OPENSSL,
  async (t) => {
    const { dir, make, pem, read } = certs(t)
    make()
    const certificate = new X509Certificate(read())
    const key = createPrivateKey(read())
    t.equal(certificate.checkPrivateKey(key), true, 'they belong together')
    t.equal(key.asymmetricKeyDetails?.namedCurve, 'prime256v1')
    t.equal(certificate.ca, false, 'trusting it is trusting this one server')
    t.ok(certificate.verify(certificate.publicKey), 'it is signed with its own key')
    t.ok(certificate.checkHost('localhost'))
    t.ok(certificate.checkIP('127.0.0.1'))
    t.ok(certificate.checkIP('::1'))
    // A name that cannot stand in a certificate is left out.
    if (/^[A-Za-z\d.-]+$/.test(hostname())) t.ok(certificate.checkHost(hostname()))
    t.ok(Date.parse(certificate.validTo) > Date.now() + 300 * 86400_000)
    t.equal(statSync(pem).mode & 0o777, 0o600)
    t.same(readdirSync(dir).sort(), ['make', 'rapi.pem'], 'nothing else is left')
  },
)

t.test('certs/make leaves alone what is good and replaces what is not', NEEDS_OPENSSL, async (t) => {
  const { make, pem, read } = certs(t)
  make()
  const good = read()
  make()
  t.equal(read(), good, 'a good file')

  const key = good.slice(0, good.indexOf('-----BEGIN CERTIFICATE'))
  const certificate = good.slice(key.length)
  const expiring = () => {
    execFileSync('openssl', [
      'req',
      '-new',
      '-x509',
      '-days',
      '1',
      '-subj',
      '/CN=x',
      '-key',
      pem,
      '-out',
      `${pem}.old`,
    ])
    return key + readFileSync(`${pem}.old`, 'utf8')
  }
  const bad: readonly [claim: string, content: string][] = [
    ['a certificate for no longer than a day', expiring()],
    ['no certificate', key],
    ['no key', certificate],
    ['an empty file', ''],
    ['half a file', good.slice(0, good.length / 2)],
  ]
  for (const [claim, content] of bad) {
    writeFileSync(pem, content)
    chmodSync(pem, 0o644)
    make()
    t.equal(new X509Certificate(read()).checkPrivateKey(createPrivateKey(read())), true, claim)
    t.equal(statSync(pem).mode & 0o777, 0o600, `${claim}: the mode`)
  }

  make()
  writeFileSync(pem, key + read().slice(read().indexOf('-----BEGIN CERTIFICATE')))
  make()
  t.equal(
    new X509Certificate(read()).checkPrivateKey(createPrivateKey(read())),
    true,
    "another certificate's key",
  )
})

t.test('without openssl it says what to install, and makes nothing', async (t) => {
  const { dir } = certs(t)
  const { status, stderr } = spawnSync('/bin/sh', [join(dir, 'make')], {
    encoding: 'utf8',
    env: { PATH: dir },
  })
  t.equal(status, 1)
  t.equal(stderr, 'certs/make: openssl is missing: apt-get install openssl\n')
  t.same(readdirSync(dir), ['make'])
})
