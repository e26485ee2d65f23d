/**
 * A configuration that is read when it is asked for, and again once its file
 * has changed: for when it is seldom needed, and should cost nothing until then.
 */
import { stat } from 'node:fs/promises'
import { Failure } from '../../failure.ts'
import { identityOf } from '../../files/file-identity.ts'
import type { Config } from '../../model/config.ts'
import type { Backend, StaleState } from '../backend.ts'
import { configFileBackend } from './config-file-backend.ts'
import { queryRows } from './query/query.ts'
import { QueueCopy } from './queue-copy.ts'
import type { ConfigLoader, Loaded } from './state/config-loader.ts'

interface Reading {
  /** Of the state of the file that is read. */
  readonly identity: string
  readonly config: Promise<Config>
}

/**
 * Gives a function for the newest state of a file: a backend for it, when the file was written, and its serial number;
 * or for the jobs, when one of them last changed. It throws Failure `configuration` where the file cannot be read.
 * @param queueFolder where Ganeti keeps the jobs
 */
export function configOnDemand(
  path: string,
  queueFolder: string,
  loader: ConfigLoader,
): (ofJobs: boolean) => Promise<StaleState> {
  let last: Reading | undefined
  let loaded: Loaded | undefined
  const load = async () => {
    ;({ loaded } = await loader.load(path, loaded))
    return loaded.config
  }
  const queue = new QueueCopy(queueFolder)
  return async (ofJobs) => {
    const stats = await stat(path, { bigint: true }).catch((error) => {
      throw new Failure('configuration', `cannot read cluster state from ${path}`, { cause: error })
    })
    const identity = identityOf(stats)
    if (last?.identity !== identity) last = { identity, config: load() }
    const reading = last
    try {
      const config = await reading.config
      const backend = withJobs(config, queue)
      const asOf = ofJobs ? await queue.changed() : stats.mtime
      return { backend, asOf, serial: config.serial_no }
    } catch (error) {
      if (last === reading) last = undefined
      throw error
    }
  }
}

/** The backend for a configuration that knows jobs, too, though it takes none. */
function withJobs(config: Config, queue: QueueCopy): Backend {
  return {
    ...configFileBackend(() => config),
    queryJobs: async (ids, fields, signal) =>
      queryRows(config, 'job', ids, fields, await queue.jobs(ids, signal), signal),
  }
}
