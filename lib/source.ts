/**
 * Where cluster state comes from: the file that the command line names; else,
 * on a node of a Ganeti cluster, the cluster's master daemon; else the first
 * of the default files that exists.
 *
 * A machine is a node if it has the socket folder of Ganeti's daemons and the
 * `ssconf_*` files, in which every node has the facts that must be known
 * without asking the master. Only the node that they name as the master may
 * serve, unless any node may.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from './failure.ts'
import type { Paths } from './paths.ts'

export type Source =
  | { readonly kind: 'file'; readonly files: readonly [string, ...string[]] }
  | {
      readonly kind: 'master'
      readonly sockets: readonly [string, ...string[]]
      /** Files that tell when something has changed. */
      readonly files: MasterFiles
    }

export interface MasterFiles {
  /** The folder of the job queue. */
  readonly queue: string
  readonly config: string
  /** The name of the master node. */
  readonly master: string
}

/** A reason not to serve with an exit status of its own, which Ganeti's scripts know. */
export class NotServing extends Failure {
  /** @param status 11: this is not the master node; 12: the node belongs to no cluster, or its files are incomplete */
  constructor(
    readonly status: 11 | 12,
    message: string,
    options?: ConstructorParameters<typeof Failure>[2],
  ) {
    super('configuration', message, options)
  }
}

/**
 * Decides where cluster state comes from.
 *
 * @param config the file that the command line names
 * @param host the name of this machine, as Ganeti knows its nodes
 * @param anyNode whether to serve as a node of a cluster, be it the master or not
 * @throws NotServing; Failure `configuration` if this is no node, but `anyNode` is set
 */
export function chooseSource(
  config: string | undefined,
  paths: Paths,
  host: string,
  anyNode = false,
): Source {
  if (config !== undefined) return { kind: 'file', files: [config] }
  const files = [paths.configData, paths.clusterYaml] as const
  if (!existsSync(paths.socketDir)) {
    if (!anyNode) return { kind: 'file', files }
    throw new Failure(
      'configuration',
      `This machine is no node of a cluster: there is no ${paths.socketDir}`,
      {
        nextStep: 'without --any-node, cluster state is read from a file',
      },
    )
  }
  if (!hasSsconf(paths.ssconfDir)) {
    if (!anyNode && files.some((file) => existsSync(file))) return { kind: 'file', files }
    throw new NotServing(12, `This node is in no cluster: there are no ssconf files in ${paths.ssconfDir}`, {
      nextStep: 'gnt-cluster init makes a cluster; --config FILE serves one from a file',
    })
  }
  const master = readMaster(paths.ssconfDir)
  if (master !== host && !anyNode)
    throw new NotServing(11, `This is ${host}, not the master node, which is ${master}`)
  return {
    kind: 'master',
    sockets: [paths.querySocket, paths.masterSocket],
    files: { queue: paths.queueDir, config: paths.configData, master: masterFile(paths.ssconfDir) },
  }
}

function hasSsconf(dir: string): boolean {
  try {
    return readdirSync(dir).some((name) => name.startsWith('ssconf_'))
  } catch {
    return false
  }
}

function masterFile(dir: string): string {
  return join(dir, 'ssconf_master_node')
}

/** Gives the name of the master node. */
function readMaster(dir: string): string {
  const path = masterFile(dir)
  let name: string
  try {
    name = readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new NotServing(12, `Cluster configuration incomplete: cannot read ${path}`, { cause: error })
  }
  if (name === '') throw new NotServing(12, `Cluster configuration incomplete: ${path} is empty`)
  return name
}
