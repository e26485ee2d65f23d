/**
 * A configuration that is read when it is asked for, and again once its file
 * has changed: for when it is seldom needed, and should cost nothing until then.
 */
import { stat } from 'node:fs/promises'
import { Failure } from '../../failure.ts'
import { identityOf } from '../../files/file-identity.ts'
import type { Config } from '../../model/config.ts'
import type { StaleState } from '../backend.ts'
import { configFileBackend } from './config-file-backend.ts'
import type { ConfigLoader, Loaded } from './state/config-loader.ts'

interface Reading {
  /** Of the state of the file that is read. */
  readonly identity: string
  readonly config: Promise<Config>
}

/**
 * Gives a function for the newest state of a file: a backend for it, when the file was written, and its serial number.
 * It throws Failure `configuration` where the file cannot be read.
 */
export function configOnDemand(path: string, loader: ConfigLoader): () => Promise<StaleState> {
  let last: Reading | undefined
  let loaded: Loaded | undefined
  const load = async () => {
    ;({ loaded } = await loader.load(path, loaded))
    return loaded.config
  }
  return async () => {
    const stats = await stat(path, { bigint: true }).catch((error) => {
      throw new Failure('configuration', `cannot read cluster state from ${path}`, { cause: error })
    })
    const identity = identityOf(stats)
    if (last?.identity !== identity) last = { identity, config: load() }
    const reading = last
    try {
      const config = await reading.config
      return { backend: configFileBackend(() => config), asOf: stats.mtime, serial: config.serial_no }
    } catch (error) {
      if (last === reading) last = undefined
      throw error
    }
  }
}
