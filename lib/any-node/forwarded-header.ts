/**
 * The header of a request that another node has forwarded: for whom, and which
 * node it was. As everybody could send it, it is believed from the addresses of
 * the cluster's nodes only.
 *
 *     Ganeti-Forwarded: for=192.0.2.7:40312;by=node2.example.com
 */
import { isIP } from 'node:net'
import { networkOf } from '../http/client-network.ts'
import { plainAddress } from '../http/peer.ts'
import type { Client } from '../http/service.ts'
import type { NodeRole } from './node-role.ts'

/** Its name, as Node has those of headers. */
export const FORWARDED = 'ganeti-forwarded'

const VALUE = /^for=(?:\[([\da-f.:]{2,45})\]|([\d.]{7,15})):(\d{1,5});by=[\w.-]{1,255}$/

/** Its value for a request. */
export function forwardedHeader(peer: string, { self }: Pick<NodeRole, 'self'>): string {
  return `for=${peer};by=${self}`
}

/**
 * Gives the client for which a node has forwarded a request.
 * @param address that the request comes from
 * @returns undefined if it does not come from a node, or was not forwarded
 */
export function clientBehind(
  address: string,
  header: string | undefined,
  { addresses }: Pick<NodeRole, 'addresses'>,
): Client | undefined {
  if (header === undefined || !addresses.has(plainAddress(address))) return undefined
  const [, six, four, port] = VALUE.exec(header) ?? []
  const host = six ?? four ?? ''
  if (isIP(host) === 0) return undefined
  return { peer: six === undefined ? `${host}:${port}` : `[${host}]:${port}`, network: networkOf(host) }
}
