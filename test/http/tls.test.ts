import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import t from 'tap'
import { messageChain } from '../../lib/failure.ts'
import { type CertificateFiles, readCertificate } from '../../lib/http/tls.ts'
import { until } from '../support/until.ts'
import { concatenate, encryptKey, makeCertificate } from './certificates.ts'
import { json, RawClient } from './raw-client.ts'
import { echo, ok, serve } from './serve.ts'

const folder = t.testdir()
const ecdsa = makeCertificate(folder, 'ecdsa')
const rsa = makeCertificate(folder, 'rsa', 'rsa')
const both = concatenate(join(folder, 'rapi.pem'), rsa.key, rsa.certificate)

const REQUEST = 'GET /a HTTP/1.1\r\nHost: x\r\nUser-Agent: test\r\n\r\n'

async function connectTls(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  return socket
}

async function client(port: number, options: ConnectionOptions = {}): Promise<RawClient> {
  return new RawClient(await connectTls(port, options))
}

async function body(client: RawClient, request = REQUEST): Promise<string | undefined> {
  client.send(request)
  return (await client.response())?.body.toString()
}

t.test('key and certificate may be in one file or in two', async (t) => {
  const one = await readCertificate({ certificate: both, key: both })
  const two = await readCertificate(rsa)
  t.strictSame(one, two)
  t.match(one.cert, [/^-----BEGIN CERTIFICATE-----/])
  t.match(one.key, [/^-----BEGIN PRIVATE KEY-----/])
})

function write(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const absent = join(folder, 'absent')
const junk = write('junk', 'junk\n')
const brokenCertificate = write(
  'broken.crt',
  '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
)
const brokenKey = write('broken.key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n')
const encrypted = encryptKey(rsa.key, join(folder, 'encrypted.key'), 'pkcs8')
const encryptedBefore = encryptKey(rsa.key, join(folder, 'traditional.key'), 'traditional')
const weak = makeCertificate(folder, 'weak', 'weak-rsa')

const mistakes: [files: CertificateFiles, message: string | RegExp][] = [
  [{ ...rsa, certificate: absent }, `SSL certificate file '${absent}' was not found`],
  [{ ...rsa, key: absent }, `SSL key file '${absent}' was not found`],
  [{ ...rsa, chain: absent }, `SSL chain file '${absent}' was not found`],
  [{ ...rsa, certificate: folder }, `SSL certificate file '${folder}' was not found`],
  [{ ...rsa, certificate: junk }, `SSL certificate file '${junk}' holds no certificate`],
  [{ ...rsa, certificate: '/dev/null' }, "SSL certificate file '/dev/null' holds no certificate"],
  [{ ...rsa, certificate: rsa.key }, `SSL certificate file '${rsa.key}' holds no certificate`],
  [
    { ...rsa, certificate: brokenCertificate },
    `SSL certificate file '${brokenCertificate}' holds a broken certificate`,
  ],
  [{ ...rsa, chain: junk }, `SSL chain file '${junk}' holds no certificate`],
  [{ ...rsa, key: junk }, `SSL key file '${junk}' holds no private key`],
  [{ ...rsa, key: rsa.certificate }, `SSL key file '${rsa.certificate}' holds no private key`],
  [{ ...rsa, key: brokenKey }, `SSL key file '${brokenKey}' holds a broken private key`],
  [
    { ...rsa, key: encrypted },
    `SSL key file '${encrypted}' is encrypted; a key without passphrase is needed`,
  ],
  [
    { ...rsa, key: encryptedBefore },
    `SSL key file '${encryptedBefore}' is encrypted; a key without passphrase is needed`,
  ],
  [
    { ...rsa, key: ecdsa.key },
    `SSL key file '${ecdsa.key}' does not belong to the certificate in '${rsa.certificate}'`,
  ],
  [weak, `SSL certificate file '${weak.certificate}' cannot be used`],
]

t.test('what cannot be served is a failure that names the file', async (t) => {
  for (const [files, message] of mistakes)
    await t.rejects(readCertificate(files), { code: 'configuration', message })
})

t.test('the reason why OpenSSL refuses a certificate is given', async (t) => {
  await readCertificate(weak).then(
    () => t.fail('must be refused'),
    (failure) => t.match(messageChain(failure), /key too small/),
  )
})

t.test('TLS 1.2 and 1.3 are supported, with ECDSA and RSA, and nothing older', async (t) => {
  for (const files of [ecdsa, rsa]) {
    const { port } = await serve(t, echo, { certificate: await readCertificate(files) })
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const tls = await client(port, { minVersion: version, maxVersion: version })
      t.equal((tls.socket as TLSSocket).getProtocol(), version)
      t.equal(await body(tls), 'GET /a \n')
      tls.socket.destroy()
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    await t.rejects(connectTls(port, old))
    const withoutForwardSecrecy = { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' } as const
    await t.rejects(connectTls(port, withoutForwardSecrecy))
  }
})

t.test("certificates of the issuers are sent after ours, from either file's end", async (t) => {
  const root = makeCertificate(folder, 'root')
  const intermediate = makeCertificate(folder, 'intermediate', 'ecdsa', root)
  const leaf = makeCertificate(folder, 'leaf', 'rsa', intermediate)
  const trusting = {
    ca: [...(await readCertificate(root)).cert],
    servername: 'localhost',
    rejectUnauthorized: true,
  }
  const chained = concatenate(join(folder, 'chained.pem'), leaf.certificate, intermediate.certificate)
  for (const files of [
    { ...leaf, chain: intermediate.certificate },
    { ...leaf, certificate: chained },
  ]) {
    const { port } = await serve(t, echo, { certificate: await readCertificate(files) })
    const tls = await client(port, trusting)
    t.equal((tls.socket as TLSSocket).authorized, true)
    tls.socket.destroy()
  }
  const { port } = await serve(t, echo, { certificate: await readCertificate(leaf) })
  await t.rejects(connectTls(port, trusting))
})

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const

t.test('the only groups are X25519, P-256 and P-384, also after a reload', async (t) => {
  const { port, server } = await serve(t, echo, { certificate: await readCertificate(rsa) })
  const groups = { X25519: 'X25519', 'P-256': 'prime256v1', 'P-384': 'secp384r1' }
  const others = ['P-521', 'X448', 'ffdhe2048', 'ffdhe8192']
  for (const when of ['from the start', 'after a reload']) {
    for (const version of VERSIONS) {
      const versions = { minVersion: version, maxVersion: version }
      for (const [group, name] of Object.entries(groups)) {
        const socket = await connectTls(port, { ...versions, ecdhCurve: group })
        t.match(socket.getEphemeralKeyInfo(), { type: 'ECDH', name }, `${version}, ${group}, ${when}`)
        socket.destroy()
      }
      for (const group of others) {
        const refused = connectTls(port, { ...versions, ecdhCurve: group })
        await t.rejects(
          refused,
          { message: /alert handshake failure|no groups/ },
          `${version}, ${group}, ${when}`,
        )
      }
    }
    server.setCertificate(await readCertificate(rsa))
  }
})

/** What a client says that knows only one type of key. */
const ONLY = {
  RSA: 'rsa_pss_rsae_sha256:rsa_pkcs1_sha256',
  ECDSA: 'ecdsa_secp256r1_sha256',
  Ed25519: 'ed25519',
} as const

/** The names in the certificates that are shown to who knows only one type of key, in each version. */
async function shown(port: number, only: keyof typeof ONLY): Promise<string[]> {
  const names: string[] = []
  for (const version of VERSIONS) {
    const versions = { minVersion: version, maxVersion: version }
    const socket = await connectTls(port, { ...versions, sigalgs: ONLY[only] })
    names.push(String(socket.getPeerCertificate().subject.CN))
    socket.destroy()
  }
  return names
}

t.test('of two key types a client gets one that it supports, preferably ECDSA', async (t) => {
  for (const pairs of [
    [rsa, ecdsa],
    [ecdsa, rsa],
  ]) {
    const { port, server } = await serve(t, echo, { certificate: await readCertificate(...pairs) })
    for (const when of ['from the start', 'after a reload']) {
      t.strictSame(await shown(port, 'RSA'), ['rsa', 'rsa'], when)
      t.strictSame(await shown(port, 'ECDSA'), ['ecdsa', 'ecdsa'], when)
      for (const version of VERSIONS) {
        const socket = await connectTls(port, { minVersion: version, maxVersion: version })
        t.equal(socket.getPeerCertificate().subject.CN, 'ecdsa', `${version}, ${when}`)
        socket.destroy()
      }
      server.setCertificate(await readCertificate(...pairs))
    }
    server.setCertificate(await readCertificate(rsa))
    t.strictSame(await shown(port, 'RSA'), ['rsa', 'rsa'])
    await t.rejects(shown(port, 'ECDSA'), 'one that is not read any more is not shown any more')
  }
})

t.test('a third key type can be used too', async (t) => {
  const ed25519 = makeCertificate(folder, 'ed25519', 'ed25519')
  const { port } = await serve(t, echo, { certificate: await readCertificate(rsa, ecdsa, ed25519) })
  for (const [only, name] of [
    ['RSA', 'rsa'],
    ['ECDSA', 'ecdsa'],
    ['Ed25519', 'ed25519'],
  ] as const)
    t.strictSame(await shown(port, only), [name, name])
})

t.test('two keys of one type are refused, and so is a key of another certificate', async (t) => {
  const another = makeCertificate(folder, 'another', 'ecdsa-p384')
  const failures: [pairs: CertificateFiles[], message: string][] = [
    [
      [rsa, ecdsa, another],
      `SSL key files '${ecdsa.key}' and '${another.key}' both hold a key of type EC: only one of each type can be served`,
    ],
    [
      [rsa, rsa],
      `SSL key files '${rsa.key}' and '${rsa.key}' both hold a key of type RSA: only one of each type can be served`,
    ],
    [
      [rsa, { ...ecdsa, key: rsa.key }],
      `SSL key file '${rsa.key}' does not belong to the certificate in '${ecdsa.certificate}'`,
    ],
    [[rsa, weak], `SSL certificate file '${weak.certificate}' cannot be used`],
  ]
  for (const [pairs, message] of failures)
    await t.rejects(readCertificate(...pairs), { code: 'configuration', message })
})

t.test('keys of any type that OpenSSL serves are served', async (t) => {
  for (const algorithm of ['rsa-pss', 'ecdsa-p384', 'ed25519'] as const) {
    const files = makeCertificate(folder, `only-${algorithm}`, algorithm)
    const { port } = await serve(t, echo, { certificate: await readCertificate(files) })
    for (const version of VERSIONS) {
      const tls = await client(port, { minVersion: version, maxVersion: version })
      t.equal(await body(tls), 'GET /a \n', `${algorithm}, ${version}`)
      tls.socket.destroy()
    }
  }
})

t.test('of several certificates each is sent with its own issuers from the chain file', async (t) => {
  const over = { RSA: makeCertificate(folder, 'root-a'), ECDSA: makeCertificate(folder, 'root-b', 'rsa') }
  const middle = {
    RSA: makeCertificate(folder, 'middle-a', 'ecdsa', over.RSA),
    ECDSA: makeCertificate(folder, 'middle-b', 'rsa', over.ECDSA),
  }
  const lower = makeCertificate(folder, 'lower-b', 'rsa', middle.ECDSA)
  const leaves = {
    RSA: makeCertificate(folder, 'leaf-a', 'rsa', middle.RSA),
    ECDSA: makeCertificate(folder, 'leaf-b', 'ecdsa', lower),
  }
  const chain = concatenate(
    join(folder, 'chains.pem'),
    ...[lower, middle.ECDSA, middle.RSA].map(({ certificate }) => certificate),
  )
  const certificate = await readCertificate({ ...leaves.RSA, chain }, { ...leaves.ECDSA, chain })
  t.strictSame(
    certificate.cert.map((one) => one.match(/BEGIN CERTIFICATE/g)?.length),
    [2, 3],
  )
  const { port } = await serve(t, echo, { certificate })
  for (const only of ['RSA', 'ECDSA'] as const) {
    const trusting = {
      ca: readFileSync(over[only].certificate),
      servername: 'localhost',
      rejectUnauthorized: true,
    }
    const ciphers = only === 'RSA' ? 'ECDHE-RSA-AES128-GCM-SHA256' : 'ECDHE-ECDSA-AES128-GCM-SHA256'
    const socket = await connectTls(port, { ...trusting, maxVersion: 'TLSv1.2', ciphers })
    t.equal(socket.authorized, true, only)
    socket.destroy()
  }
})

t.test('renegotiation is refused without a second handshake', async (t) => {
  const { port, server } = await serve(t, echo, { certificate: await readCertificate(rsa) })
  for (const when of ['from the start', 'after a reload']) {
    const tls = await client(port, { maxVersion: 'TLSv1.2' })
    const socket = tls.socket as TLSSocket
    const refused = new Promise<Error | null>((resolve) => {
      socket.once('error', resolve)
      socket.renegotiate({}, resolve)
    })
    t.match(await refused, { message: /no renegotiation/ }, when)
    tls.socket.destroy()
    server.setCertificate(await readCertificate(rsa))
  }
})

t.test('session tickets allow no early data, which could be replayed', async (t) => {
  const { port } = await serve(t, echo, { certificate: await readCertificate(rsa) })
  const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_3', '-ign_eof']
  const openssl = spawn('openssl', args, { stdio: ['pipe', 'pipe', 'ignore'] })
  openssl.stdin.end(REQUEST.replace('Host', 'Connection: close\r\nHost'))
  t.match(await text(openssl.stdout), /TLS session ticket:.*Max Early Data: 0\n/s)
})

t.test('a new certificate is used for new connections', async (t) => {
  const { port, server } = await serve(t, echo, { certificate: await readCertificate(ecdsa) })
  const before = await client(port)
  t.equal(await body(before), 'GET /a \n')
  server.setCertificate(await readCertificate(rsa))
  t.equal(await body(before), 'GET /a \n', 'an open connection goes on')
  const after = await client(port)
  t.equal((after.socket as TLSSocket).getPeerCertificate().subject.CN, 'rsa')
  for (const { socket } of [before, after]) socket.destroy()
})

t.test(
  'sessions are resumed with either key type, also after the certificates were read again',
  async (t) => {
    for (const [maxVersion, sigalgs] of VERSIONS.flatMap((one) => [
      [one, ONLY.RSA] as const,
      [one, ONLY.ECDSA] as const,
    ])) {
      const { port, server } = await serve(t, echo, { certificate: await readCertificate(rsa, ecdsa) })
      const socket = await connectTls(port, { maxVersion, sigalgs })
      let session = socket.getSession()
      socket.on('session', (fresh) => {
        session = fresh
      })
      const first = new RawClient(socket)
      t.equal(await body(first), 'GET /a \n')
      first.socket.destroy()
      server.setCertificate(await readCertificate(rsa, ecdsa))
      const again = await client(port, { maxVersion, sigalgs, ...(session && { session }) })
      t.equal(await body(again), 'GET /a \n')
      t.equal((again.socket as TLSSocket).isSessionReused(), true, `${maxVersion}, ${sigalgs}`)
      again.socket.destroy()
    }
  },
)

t.test('plain HTTP on the TLS port gets an answer with the reason', async (t) => {
  const { port, records } = await serve(t, echo, { certificate: await readCertificate(ecdsa) })
  const plain = await RawClient.connect(port)
  plain.send(REQUEST)
  const response = await plain.response()
  t.equal(response?.statusLine, 'HTTP/1.1 400 Bad Request')
  t.match(json(response), { code: 400, message: 'Plain HTTP was sent to a port that speaks HTTPS' })
  t.equal(await plain.response(), undefined)
  plain.socket.destroy()
  // What was sent is read by OpenSSL alone.
  t.match(records, [{ line: undefined, status: 400 }])
})

t.test('a connection with neither, silent or amid its handshake, is closed', async (t) => {
  const { port, debug, records } = await serve(t, echo, {
    certificate: await readCertificate(ecdsa),
    limits: { head: 500, check: 50 },
  })
  const sent = ['\u0000\u0001\u0002', '', '\u0016\u0003\u0001', '\u0016junkjunkjunk', '\u0000junkjunkjunk']
  for (const bytes of sent) {
    const odd = await RawClient.connect(port)
    odd.send(bytes)
    await odd.closed
    odd.socket.destroy()
  }
  const silent = await client(port)
  await silent.closed
  await until(() => debug.length === sent.length + 1)
  const reasons = debug.map((line) => line.replace(/^127\.0\.0\.1:\d+: /, ''))
  t.match(reasons, [
    'closed, as no TLS handshake was completed',
    'closed, as no TLS handshake was completed',
    'closed, as no TLS handshake was completed',
    /^TLS handshake failed: .*wrong version number/,
    /^TLS handshake failed: .*(wrong version number|packet length)/,
    'closed, as no request came',
  ])
  t.strictSame(records, [])
})

t.test('a client that wants HTTP/1.0 by ALPN gets it', async (t) => {
  const { port } = await serve(t, echo, { certificate: await readCertificate(ecdsa) })
  for (const protocol of ['http/1.1', 'http/1.0']) {
    const one = await client(port, { ALPNProtocols: [protocol] })
    t.equal(await body(one), 'GET /a \n', protocol)
    one.socket.destroy()
  }
})

t.test('a slow handshake releases its place, and may continue', async (t) => {
  const { port, debug } = await serve(t, echo, {
    certificate: await readCertificate(ecdsa),
    limits: { handshakes: 1, handshake: 50, check: 10 },
  })
  const hello = await clientHello()
  const slow = await RawClient.connect(port)
  slow.send(hello)
  await until(() => slow.received.length > 0)
  const other = await client(port)
  t.equal(await body(other), 'GET /a \n')
  t.notOk(slow.socket.destroyed || slow.socket.readableEnded)
  t.strictSame(debug, [])
  for (const { socket } of [slow, other]) socket.destroy()
})

t.test('a client that disconnects during the handshake releases its place', async (t) => {
  const { port, debug } = await serve(t, echo, {
    certificate: await readCertificate(ecdsa),
    limits: { handshakes: 1 },
  })
  const hello = await clientHello()
  for (const leave of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const gone = await RawClient.connect(port)
    gone.send(hello)
    await until(() => gone.received.length > 0)
    gone.socket[leave]()
    await gone.closed
    t.equal(await body(await client(port)), 'GET /a \n', leave)
    gone.socket.destroy()
  }
  t.notMatch(debug.join('\n'), /no TLS handshake was completed/)
})

/** What a client says first. */
async function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const listening = createServer((socket) => {
      socket.once('data', (bytes) => {
        resolve(bytes)
        socket.destroy()
        listening.close()
      })
    })
    listening.listen(0, '127.0.0.1', () => {
      const { port } = listening.address() as AddressInfo
      connect({ port, host: '127.0.0.1', rejectUnauthorized: false }).on('error', () => {})
    })
  })
}

t.test('rejected requests, half-closed and refused connections work as without TLS', async (t) => {
  const { port, records } = await serve(t, echo, { certificate: await readCertificate(ecdsa) })
  const lower = await client(port)
  t.equal(await body(lower, REQUEST.replace('GET', 'get')), 'GET /a \n')
  lower.socket.destroy()

  const used = await client(port)
  t.equal(await body(used), 'GET /a \n')
  t.equal(await body(used, REQUEST.replace('GET', 'get')), 'GET /a \n')
  used.socket.destroy()

  const half = await client(port, { allowHalfOpen: true } as ConnectionOptions)
  half.send(REQUEST)
  half.socket.end()
  t.equal((await half.response())?.body.toString(), 'GET /a \n')
  half.socket.destroy()
  t.match(records[0]?.peer, /^127\.0\.0\.1:\d+$/)
})

t.test('limits and closing work for TLS connections too', async (t) => {
  const { port, server } = await serve(t, echo, {
    certificate: await readCertificate(ecdsa),
    limits: { connections: 1 },
  })
  const first = await client(port)
  t.equal(await body(first), 'GET /a \n')
  const second = await client(port)
  t.equal(await body(second), 'GET /a \n', 'the idle one made room')
  await first.closed
  await Promise.all([server.close(60_000), second.closed])
  for (const { socket } of [first, second]) socket.destroy()
})

t.test('a long answer arrives whole over TLS without delaying others', async (t) => {
  const long = 'ganeti '.repeat(1_000_000)
  const { port } = await serve(t, async ({ target }) => ok(target === '/long' ? long : target), {
    certificate: await readCertificate(rsa),
  })
  const slow = await client(port)
  slow.socket.pause()
  slow.send('GET /long HTTP/1.1\r\nHost: x\r\n\r\n')
  t.equal(await body(await client(port)), '/a')
  slow.socket.resume()
  t.ok((await slow.response())?.body.toString() === long)
  slow.socket.destroy()
})
