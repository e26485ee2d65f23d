/**
 * The backend for the source of cluster state, with what the daemon needs apart
 * from queries: reloading it, and its version.
 */

import { hostName } from '../daemon/host-name.ts'
import type { Log } from '../daemon/log.ts'
import { type Reason, reloadable } from '../daemon/reloadable.ts'
import { FileSource } from '../events/file-source.ts'
import { MasterSource } from '../events/master-source.ts'
import type { EventSource } from '../events/source.ts'
import { Failure } from '../failure.ts'
import type { Version } from '../model/version.ts'
import type { Source } from '../source.ts'
import type { Backend, StaleState } from './backend.ts'
import { configFileBackend } from './config-file/config-file-backend.ts'
import { JobQueue } from './config-file/jobs/job-queue.ts'
import { configOnDemand } from './config-file/stale-state.ts'
import { ClusterFile } from './config-file/state/cluster-file.ts'
import { ConfigLoader } from './config-file/state/config-loader.ts'
import { changesReporter } from './config-file/state/report-changes.ts'
import type { CallObserver } from './luxi/client.ts'
import { luxiBackend } from './luxi/luxi-backend.ts'
import { standbyBackend } from './standby-backend.ts'

export interface Observers {
  /** Gets a line for each call of a master daemon. */
  readonly debug?: ((message: string) => void) | undefined
  readonly called?: CallObserver | undefined
  /** Called when the file was read again, with whether that succeeded. */
  readonly reloaded?: ((succeeded: boolean) => void) | undefined
}

/** What a node that is perhaps not the master knows of its cluster. */
export interface Membership {
  readonly isMaster: boolean
  readonly version: Version | undefined
}

/** How long the master daemon has to answer a check, in milliseconds. */
const MASTER_PATIENCE = 1000

/** The backend, and its life cycle. */
export interface ClusterState {
  readonly backend: Backend
  /** What happens in it. */
  readonly events: EventSource
  /** When its file was last read, in milliseconds since 1970; undefined for a live cluster. */
  readonly readAt: number | undefined
  /** The cluster's version of Ganeti; undefined before it is known. */
  readonly version: Version | undefined
  /** Gives an older state. @param ofJobs whether it is to be that of the jobs */
  readonly staleState?: (ofJobs: boolean) => Promise<StaleState>
  /** Starts it; there is no backend before. */
  begin(): Promise<void>
  reload(): Promise<unknown>
  /**
   * Checks that it can be used: that the file was read when it last changed, or that the master daemon answers.
   * @throws Failure with the reason
   */
  check(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens the backend for a source.
 * @param staleFile the file for answers while the master daemon cannot be reached (stale-if-error)
 * @param observers are told what happens
 * @param membership gives what this node is; always the master unless given
 * @throws Failure `configuration` if the state cannot be loaded
 */
export async function openClusterState(
  source: Source,
  staleFile: string | undefined,
  log: Log,
  observers: Observers = {},
  membership?: () => Membership,
): Promise<ClusterState> {
  if (source.kind === 'file') return fileState(source.files, log, observers)
  return liveState(source, staleFile, log, observers, membership)
}

/** A live cluster, through its master daemon as long as this is its node. */
function liveState(
  { sockets, files }: Extract<Source, { kind: 'master' }>,
  staleFile: string | undefined,
  log: Log,
  { debug, called: observe }: Observers,
  membership: (() => Membership) | undefined,
): ClusterState {
  const backend = luxiBackend(sockets, { debug, observe })
  log.info(
    `Asking the master daemon on this node${membership ? ' while it is the master' : ''}, at ${sockets.join(' or ')}`,
  )
  const loader = new ConfigLoader()
  const isMaster = () => membership?.().isMaster ?? true
  const standby = standbyBackend(() => membership?.().version)
  return {
    get backend() {
      return isMaster() ? backend : standby
    },
    events: new MasterSource({ backend, files, node: hostName(), log }),
    readAt: undefined,
    get version() {
      return isMaster() ? backend.knownVersion : standby.knownVersion
    },
    ...(staleFile !== undefined && { staleState: configOnDemand(staleFile, files.queue, loader) }),
    begin: async () => {
      // Get the version for the first answers; if the master daemon cannot be reached, it is asked later.
      if (isMaster()) backend.version().catch(() => {})
    },
    reload: async () => {},
    check: async () => {
      if (isMaster()) await backend.ping(MASTER_PATIENCE)
    },
    close: async () => {
      await loader.close()
      await backend.close()
    },
  }
}

/** The first of the files that exists; it is read again when it changes. */
async function fileState(
  files: readonly [string, ...string[]],
  log: Log,
  { reloaded: loaded }: Observers,
): Promise<ClusterState> {
  const loader = new ConfigLoader()
  const file = new ClusterFile(files, loader)
  let readAt = Date.now()
  // `file` owns the state; `reloadable` only triggers reading.
  const reloads = await reloadable<void>({
    name: 'the cluster state',
    load: async (reason) => {
      await loadState(file, reason, log)
      readAt = Date.now()
    },
    watch: files,
    log,
    loaded,
  })
  file.onWritten((path, identity) => reloads.written(path, identity))
  let begun: { readonly backend: Backend; readonly queue: JobQueue } | undefined
  const whatBegan = () => {
    if (!begun) throw new Error('asked before it began')
    return begun
  }
  const events = new FileSource({ config: () => file.current, begun: whatBegan, node: hostName() })
  return {
    get backend() {
      return whatBegan().backend
    },
    events,
    get readAt() {
      return readAt
    },
    get version() {
      return file.current.version
    },
    async begin() {
      const load = () => import('./config-file/change-yaml.ts')
      const queue = await JobQueue.open({ file, folder: `${file.path}.queue`, load, log })
      const reportChanges = changesReporter(file, queue, log)
      await reportChanges()
      reloads.onChange(() => {
        queue.configChanged()
        events.changed()
        void reportChanges()
      })
      begun = { backend: configFileBackend(() => file.current, queue), queue }
    },
    reload: () => reloads.reload(),
    check: async () => {
      if (reloads.failure !== undefined) throw new Failure('configuration', reloads.failure)
    },
    close: async () => {
      reloads.close()
      await begun?.backend.close()
      await loader.close()
    },
  }
}

async function loadState(file: ClusterFile, reason: Reason, log: Log): Promise<void> {
  const before = file.loaded
  const config = await file.load(reason === 'signal')
  // A job and a reload may report the same change.
  if (config === before) return
  const { cluster, nodes, instances } = config
  log.info(
    `Read ${file.path}: cluster ${cluster.cluster_name}, ${nodes.all.length} nodes, ${instances.all.length} instances`,
  )
}
