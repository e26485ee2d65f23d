/**
 * What this node is in its cluster, as the `ssconf_*` files have it, which
 * Ganeti replaces on all nodes when something changes; a failover replaces
 * them, too. They are not replaced at the same moment, so that for a short time
 * two nodes may take each other for the master.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../daemon/log.ts'
import { type Reloadable, reloadable } from '../daemon/reloadable.ts'
import type { WatchOptions } from '../daemon/watched-files.ts'
import { Failure } from '../failure.ts'
import { type Version, versionFrom } from '../model/version.ts'

/** The master itself; a candidate has a copy of the cluster's configuration, another node has none. */
export type Role = 'master' | 'candidate' | 'other'

export interface NodeRole {
  readonly role: Role
  /** The name of this node. */
  readonly self: string
  /** The name of the master node. */
  readonly master: string
  /** The address of the master node; undefined if no file has it. */
  readonly masterAddress: string | undefined
  /** The primary addresses of all nodes. */
  readonly addresses: ReadonlySet<string>
  /** Which Ganeti the cluster runs; undefined if no file says it. */
  readonly version: Version | undefined
}

const FILES = {
  master: 'ssconf_master_node',
  masterAddress: 'ssconf_master_ip',
  candidates: 'ssconf_master_candidates',
  addresses: 'ssconf_node_primary_ips',
  version: 'ssconf_release_version',
} as const

/** The interval of checking the files where changes of their folder cannot be noticed, in milliseconds. */
const POLL_INTERVAL = 1000

/**
 * Reads what a node is.
 * @param dir the folder of the files
 * @param self the name of the node
 * @throws Failure `configuration` if no file names the master
 */
export async function readNodeRole(dir: string, self: string): Promise<NodeRole> {
  const read = async (name: string) => (await readFile(join(dir, name), 'utf8')).trim()
  const readIfThere = (name: string) => read(name).catch(() => '')
  const master = await read(FILES.master).catch((cause) => {
    throw new Failure('configuration', `cannot read ${join(dir, FILES.master)}`, { cause })
  })
  if (master === '') throw new Failure('configuration', `${join(dir, FILES.master)} is empty`)
  const [candidates, primaryAddresses, clusterAddress, version] = await Promise.all([
    readIfThere(FILES.candidates),
    readIfThere(FILES.addresses),
    readIfThere(FILES.masterAddress),
    readIfThere(FILES.version),
  ])
  const addresses = new Map(
    primaryAddresses.split('\n').map((line) => {
      const [name = '', address = ''] = line.split(/\s+/)
      return [name, address]
    }),
  )
  return {
    role: roleOf(self, master, candidates.split('\n')),
    self,
    master,
    masterAddress: addresses.get(master) || clusterAddress || undefined,
    addresses: new Set(addresses.values()),
    version: versionFrom(version),
  }
}

function roleOf(self: string, master: string, candidates: readonly string[]): Role {
  if (self === master) return 'master'
  return candidates.includes(self) ? 'candidate' : 'other'
}

/**
 * Reads what this node is, again whenever that may have changed, and logs what it becomes.
 * @throws as `readNodeRole`; later, what was read before is kept
 */
export async function watchNodeRole(
  dir: string,
  self: string,
  log: Log,
  options: WatchOptions = { pollInterval: POLL_INTERVAL },
): Promise<Reloadable<NodeRole>> {
  const watched = await reloadable({
    name: "this node's role",
    load: () => readNodeRole(dir, self),
    watch: Object.values(FILES).map((name) => join(dir, name)),
    log,
    ...options,
  })
  let said = roleInWords(watched.current)
  log.info(said)
  watched.onChange((now) => {
    const words = roleInWords(now)
    if (words !== said) log.info(words)
    said = words
  })
  return watched
}

/** What this node is, as a sentence. */
export function roleInWords({ role, self, master, masterAddress = 'an unknown address' }: NodeRole): string {
  if (role === 'master') return `This is ${self}, the master node`
  const what = role === 'candidate' ? 'a master candidate' : 'no master candidate'
  return `This is ${self}, ${what}; the master node is ${master} at ${masterAddress}`
}
