import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import t from 'tap'
import { messageChain } from '../../lib/failure.ts'
import { readCertificate } from '../../lib/http/tls.ts'
import { until } from '../daemon/until.ts'
import { concatenate, encryptKey, makeCertificate } from './certificates.ts'
import { json, RawClient } from './raw-client.ts'
import { echo, ok, serve } from './serve.ts'

const folder = t.testdir()
const ecdsa = makeCertificate(folder, 'ecdsa')
const rsa = makeCertificate(folder, 'rsa', 'rsa')
const both = concatenate(join(folder, 'rapi.pem'), rsa.key, rsa.certificate)

const REQUEST = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n'

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
  t.match(one.cert, /^-----BEGIN CERTIFICATE-----/)
  t.match(one.key, /^-----BEGIN PRIVATE KEY-----/)
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

const mistakes: [files: Parameters<typeof readCertificate>[0], message: string | RegExp][] = [
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

t.test('what OpenSSL has against a certificate is told', async (t) => {
  await readCertificate(weak).then(
    () => t.fail('must be refused'),
    (failure) => t.match(messageChain(failure), /key too small/),
  )
})

t.test('TLS 1.2 and 1.3 are spoken, with ECDSA and RSA, and nothing older', async (t) => {
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
    ca: (await readCertificate(root)).cert,
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

t.test('another certificate is shown to whoever connects from then on', async (t) => {
  const { port, server } = await serve(t, echo, { certificate: await readCertificate(ecdsa) })
  const before = await client(port)
  t.equal(await body(before), 'GET /a \n')
  server.setCertificate(await readCertificate(rsa))
  t.equal(await body(before), 'GET /a \n', 'an open connection goes on')
  const after = await client(port)
  t.equal((after.socket as TLSSocket).getPeerCertificate().subject.CN, 'rsa')
  for (const { socket } of [before, after]) socket.destroy()
})

t.test('sessions are resumed, also after the certificate was read again', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { port, server } = await serve(t, echo, { certificate: await readCertificate(ecdsa) })
    const socket = await connectTls(port, { maxVersion })
    let session = socket.getSession()
    socket.on('session', (fresh) => {
      session = fresh
    })
    const first = new RawClient(socket)
    t.equal(await body(first), 'GET /a \n')
    first.socket.destroy()
    server.setCertificate(await readCertificate(ecdsa))
    const again = await client(port, { maxVersion, ...(session && { session }) })
    t.equal(await body(again), 'GET /a \n')
    t.equal((again.socket as TLSSocket).isSessionReused(), true, maxVersion)
    again.socket.destroy()
  }
})

t.test('plain HTTP on the TLS port reads why that fails', async (t) => {
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

t.test('what is neither is closed, and so is who says nothing or never finishes the handshake', async (t) => {
  const { port, debug, records } = await serve(t, echo, {
    certificate: await readCertificate(ecdsa),
    limits: { head: 300, check: 10 },
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

t.test('who hangs up amid the handshake keeps no place', async (t) => {
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

t.test('what the parser gives up on, half-closed and refused connections go as without TLS', async (t) => {
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

t.test('places and closing count TLS connections as well', async (t) => {
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

t.test('a long answer arrives whole over TLS, and whoever asks meanwhile need not wait for it', async (t) => {
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
