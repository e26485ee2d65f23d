import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface OrdinaryAnswer {
  /** Undefined where there was none. */
  readonly status: number | undefined
  readonly body: string
  /** Milliseconds from connecting to the end of the answer. */
  readonly took: number
}

export interface OrdinaryRequest {
  /** From which address of this machine. */
  readonly from: string
  /** `GET /version` unless given. */
  readonly request?: string
  readonly user?: string
  /** A JSON text. */
  readonly body?: string
}

/**
 * How long an ordinary client waits, in milliseconds. It should have its answer
 * within one second; a machine that runs other tests may take much longer.
 */
const PATIENCE = 60_000

/** Asks as most clients do: over a connection of its own, with TLS where there is a certificate to trust. */
export async function askOrdinarily(
  { port, ca }: { readonly port: number; readonly ca: Buffer | undefined },
  { from, request = 'GET /version', user, body = '' }: OrdinaryRequest,
): Promise<OrdinaryAnswer> {
  const begun = performance.now()
  const raw = connect({ port, host: '127.0.0.1', localAddress: from })
  const socket = ca ? connectTls({ socket: raw, host: 'localhost', ca }) : raw
  const received: Buffer[] = []
  const authorization =
    user === undefined ? '' : `Authorization: Basic ${Buffer.from(user).toString('base64')}\r\n`
  const type = body === '' ? '' : 'Content-Type: application/json\r\n'
  const headers = `Host: localhost\r\nUser-Agent: ordinary/1.0\r\n${authorization}${type}Content-Length: ${body.length}\r\n`
  socket.write(`${request} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n${body}`)
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, PATIENCE)
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    raw.on('error', done)
    socket.on('data', (bytes: Buffer) => received.push(bytes))
    socket.on('error', done)
    socket.on('close', done)
  })
  socket.destroy()
  raw.destroy()
  const text = Buffer.concat(received).toString()
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]
  return {
    status: status === undefined ? undefined : Number(status),
    body: text.slice(text.indexOf('\r\n\r\n') + 4),
    took: performance.now() - begun,
  }
}
