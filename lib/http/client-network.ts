/**
 * The network of a client, by which limits are shared fairly: its IPv4 address,
 * or the /64 of its IPv6 address, as one client usually has a whole /64.
 */
import { plainAddress } from './peer.ts'

/**
 * Gives the network of an address, e.g. `192.0.2.1` or `2001:db8:0:1`.
 * @param address as Node has it: compressed, in lower case, perhaps with a zone
 */
export function networkOf(address: string): string {
  const plain = plainAddress(address)
  if (!plain.includes(':')) return plain
  const [head = '', tail] = plain.split('::')
  const groups = head === '' ? [] : head.split(':')
  // `::` stands for zeros up to the groups that follow it.
  const behind = tail === undefined || tail === '' ? 0 : tail.split(':').length
  while (groups.length < Math.min(4, 8 - behind)) groups.push('0')
  if (groups.length < 4 && tail) groups.push(...tail.split(':'))
  return groups.slice(0, 4).join(':')
}
