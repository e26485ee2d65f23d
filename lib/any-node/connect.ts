/**
 * Connects to the master's daemon. The connection is only given away once the
 * certificate was found to be right, so that no password is sent before.
 */
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { Failure } from '../failure.ts'
import { hostAndPort } from '../http/peer.ts'
import type { TrustedCertificates } from './trusted-certificates.ts'

/**
 * How long a connection may take, in milliseconds. The system of the master node accepts it, however busy the daemon
 * is there.
 */
const CONNECT_PATIENCE = 900
/** The same for the TLS handshake, which the daemon makes. */
const HANDSHAKE_PATIENCE = 3000
/** When to ask the system of the other side for a sign of life (TCP keepalive), in milliseconds. */
const KEEPALIVE = 15_000

/** How to know that it is the master's daemon: by its certificate itself, or by its issuer and the node's name. */
export type Trust =
  | { readonly kind: 'pinned'; readonly certificates: Pick<TrustedCertificates, 'accepts'> }
  | { readonly kind: 'issued'; readonly issuers: string }

export interface Target {
  /** The name of the node. */
  readonly name: string
  readonly address: string
  readonly port: number
}

/**
 * Connects.
 * @param trust undefined for plain HTTP
 * @throws Failure `no-master` if there is no connection, or none in time; `bad-answer` if the certificate is wrong
 */
export async function connect(target: Target, trust: Trust | undefined): Promise<Socket> {
  const plain = await connected(target)
  return trust ? secured(plain, target, trust) : plain
}

function connected({ name, address, port }: Target): Promise<Socket> {
  const where = `${name} at ${hostAndPort(address, port)}`
  return new Promise((resolve, reject) => {
    const socket = connectPlain({ host: address, port, noDelay: true, keepAlive: true })
    socket.setKeepAlive(true, KEEPALIVE)
    const fail = (cause: Error) => {
      clearTimeout(timer)
      socket.destroy()
      reject(new Failure('no-master', `Cannot connect to the master node ${name}`, { cause }))
    }
    const timer = setTimeout(() => fail(late(`no connection to ${where}`)), CONNECT_PATIENCE)
    socket.once('error', fail)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', fail)
      resolve(socket)
    })
  })
}

function secured(plain: Socket, { name }: Target, trust: Trust): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      socket: plain,
      minVersion: 'TLSv1.2',
      // A pinned certificate is compared below.
      ...(trust.kind === 'issued' ? { ca: trust.issuers, servername: name } : { rejectUnauthorized: false }),
    })
    const fail = (failure: Failure) => {
      clearTimeout(timer)
      socket.on('error', () => {})
      socket.destroy()
      plain.destroy()
      reject(failure)
    }
    const wrong = (cause?: Error) =>
      fail(
        new Failure('bad-answer', `The master node ${name} has another certificate than expected`, { cause }),
      )
    const timer = setTimeout(() => {
      const cause = late('no TLS handshake')
      fail(new Failure('no-master', `Cannot connect to the master node ${name}`, { cause }))
    }, HANDSHAKE_PATIENCE)
    const onError = (cause: NodeJS.ErrnoException) => {
      if (isOfCertificate(cause)) wrong(cause)
      else fail(new Failure('no-master', `Cannot connect to the master node ${name}`, { cause }))
    }
    socket.once('error', onError)
    socket.once('secureConnect', () => {
      if (trust.kind === 'pinned' && !isPinned(socket, trust)) {
        wrong()
        return
      }
      clearTimeout(timer)
      socket.off('error', onError)
      resolve(socket)
    })
  })
}

function isPinned(socket: TLSSocket, { certificates }: Trust & { kind: 'pinned' }): boolean {
  const certificate = socket.getPeerX509Certificate()
  return certificate !== undefined && certificates.accepts(certificate.raw)
}

/** Whether a handshake failed as the certificate was refused, which OpenSSL and Node have many codes for. */
function isOfCertificate({ code = '' }: NodeJS.ErrnoException): boolean {
  return /CERT|ISSUER|ALTNAME|SIGNATURE|CRL/.test(code)
}

function late(what: string): Error {
  return new DOMException(`${what} in time`, 'TimeoutError')
}
