/**
 * The limit of the platform: servers of node:http and node:https that do
 * nothing but send what they are told to, whatever is asked. Run as a child
 * process, `bare-server.js PEM`; says its ports over IPC, then takes answers
 * (see opponents.ts).
 */
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { argv } from 'node:process'
import { readCertificate, tlsSettings } from '../../lib/http/tls.ts'

/** What to send from now on. */
export interface BareAnswer {
  readonly status: number
  /** Names and values by turns. */
  readonly headers: readonly string[]
  /** The file with the body. */
  readonly file: string
}

export interface BarePorts {
  readonly plain: number
  readonly tls: number
}

const [, , pem = ''] = argv
let answer = { status: 503, headers: [] as string[], body: Buffer.alloc(0) }

const listener: RequestListener = (incoming, outgoing) => {
  incoming.resume()
  outgoing.writeHead(answer.status, answer.headers)
  outgoing.end(answer.body)
}
const settings = { noDelay: true, keepAliveTimeout: 120_000 }
const certificate = await readCertificate({ certificate: pem, key: pem })
const plain = createServer(settings, listener)
const tls = createTlsServer({ ...settings, ...tlsSettings(certificate) }, listener)

process.on('message', ({ status, headers, file }: BareAnswer) => {
  answer = { status, headers: [...headers], body: readFileSync(file) }
  process.send?.('taken')
})
process.on('disconnect', () => process.exit())

plain.listen(0, '127.0.0.1', () => {
  tls.listen(0, '127.0.0.1', () => {
    const port = (server: typeof plain | typeof tls) => (server.address() as AddressInfo).port
    process.send?.({ plain: port(plain), tls: port(tls) } satisfies BarePorts)
  })
})
