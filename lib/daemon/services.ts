/**
 * The services database: which port a service has on this machine. Node has no
 * getservbyname(3), so the file itself is read.
 *
 *     # name    port/protocol  aliases
 *     https     443/tcp
 *     http      80/tcp         www        # WorldWideWeb HTTP
 */
import { readFileSync } from 'node:fs'

/** The path of the database; GANETI_ROOTDIR does not apply to it. */
export const SERVICES_FILE = '/etc/services'

/**
 * Looks a service up in the services database.
 *
 * @param name the service's name or an alias of it
 * @param protocol `tcp` or `udp`
 * @param path the database; one that cannot be read counts as empty
 * @returns its port, or undefined where it is not listed
 */
export function servicePort(
  name: string,
  protocol: string,
  path: string = SERVICES_FILE,
): number | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
  return findPort(text, name, protocol)
}

/** Like `servicePort`, in the text of a database; the first matching line counts, invalid lines are skipped. */
export function findPort(text: string, name: string, protocol: string): number | undefined {
  for (const line of text.split('\n')) {
    const [official, entry, ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (official !== name && !aliases.includes(name)) continue
    const [, digits, itsProtocol] = /^(\d+)\/(\w+)$/.exec(entry ?? '') ?? []
    const port = Number(digits)
    if (itsProtocol === protocol && port > 0 && port <= 65535) return port
  }
  return undefined
}
