/**
 * All default paths of the daemon: those of Ganeti's packages on Debian.
 */
import { isAbsolute, join, resolve } from 'node:path'
import { Failure } from './failure.ts'

export interface Paths {
  /** The server's private key and certificate, in one PEM file. */
  readonly rapiPem: string
  /** The users of the API. */
  readonly users: string
  readonly log: string
  readonly auditLog: string
  readonly pidFile: string
  /** The same of a daemon that serves on any node: Ganeti's scripts must not stop it with the master's daemons. */
  readonly anyNodePidFile: string
  /** Cluster state as Ganeti writes it. */
  readonly configData: string
  /** The folder of the job queue of Ganeti's master daemon. */
  readonly queueDir: string
  /** Cluster state written by hand; read if `configData` does not exist. */
  readonly clusterYaml: string
  /** The folder of the `ssconf_*` files. */
  readonly ssconfDir: string
  /** The folder of the sockets that Ganeti's other daemons listen on. */
  readonly socketDir: string
  /** Where the master daemon listens for queries, and in Ganeti from 3.0 on for everything. */
  readonly querySocket: string
  /** Where older master daemons listen. */
  readonly masterSocket: string
}

/**
 * Gives the default paths below a root folder.
 *
 * @param rootDir value of `GANETI_ROOTDIR`: an absolute path put before each; undefined or '' for none
 * @throws Failure `configuration` where it is not absolute (Ganeti refuses that too: vcluster.py)
 */
export function defaultPaths(rootDir: string | undefined): Paths {
  const root = rootDir || '/'
  if (!isAbsolute(root)) {
    throw new Failure('configuration', `GANETI_ROOTDIR must be an absolute path, not '${root}'`)
  }
  const below = (path: string) => join(resolve(root), path)
  return {
    rapiPem: below('/var/lib/ganeti/rapi.pem'),
    users: below('/var/lib/ganeti/rapi/users'),
    log: below('/var/log/ganeti/rapi-daemon.log'),
    auditLog: below('/var/log/ganeti/rapi-audit.log'),
    pidFile: below('/var/run/ganeti/ganeti-rapi.pid'),
    anyNodePidFile: below('/var/run/ganeti/ganeti-rapi-any-node.pid'),
    configData: below('/var/lib/ganeti/config.data'),
    queueDir: below('/var/lib/ganeti/queue'),
    clusterYaml: below('/var/lib/ganeti/cluster.yaml'),
    ssconfDir: below('/var/lib/ganeti'),
    socketDir: below('/var/run/ganeti/socket'),
    querySocket: below('/var/run/ganeti/socket/ganeti-query'),
    masterSocket: below('/var/run/ganeti/socket/ganeti-master'),
  }
}
