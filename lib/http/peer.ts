/** The peer of a connection as the log has it: address and port. */
import type { Socket } from 'node:net'

/** Address and port of the peer; an IPv4 address on an IPv6 socket is given as IPv4. */
export function peerOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return hostAndPort(plainAddress(remoteAddress), remotePort)
}

/** Gives an IPv4-mapped IPv6 address as IPv4; other addresses unchanged. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=[\d.]+$)/, '')
}

/** E.g. `192.0.2.1:5080` or `[2001:db8::1]:5080`. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
