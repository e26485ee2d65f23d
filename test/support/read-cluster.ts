/** Cluster state as a test needs it, read at once and on its own thread. */
import { type Origin, parseState, readFileState } from '../../lib/backend/config-file/state/read-state.ts'
import { type Config, type ConfigObjects, indexConfig } from '../../lib/model/config.ts'

export async function readConfigFile(path: string): Promise<Config> {
  return indexConfig((await readFileState(path)).objects)
}

export function parseConfig(text: string, origin: Origin): Config {
  return indexConfig(parseObjects(text, origin))
}

export function parseObjects(text: string, origin: Origin): ConfigObjects {
  return parseState(text, origin).objects
}
