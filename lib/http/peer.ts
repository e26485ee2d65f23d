/** The other end of a connection as the log has it: address and port. */
import type { Socket } from 'node:net'

/** Address and port of the other end; an IPv4 address that came in through an IPv6 socket stays one. */
export function peerOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return hostAndPort(plainAddress(remoteAddress), remotePort)
}

/** An IPv4 address that came in through an IPv6 socket as what it is; others as they are. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=[\d.]+$)/, '')
}

/** E.g. `192.0.2.1:5080` or `[2001:db8::1]:5080`. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
