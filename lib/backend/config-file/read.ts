/**
 * Cluster state from a file: Ganeti's own `config.data`, or a cluster that a
 * person wrote down in YAML. Both become the same `Config`.
 *
 * The way from text to objects is pure, so that it can be done elsewhere than
 * on the daemon's own thread.
 */
import { open } from 'node:fs/promises'
import { Failure } from '../../failure.ts'
import { type Config, type ConfigObjects, indexConfig } from '../../model/config.ts'
import { readConfigData } from './read-config-data.ts'
import { readYaml } from './read-yaml.ts'

/** About the file a text is from. */
export interface Origin {
  /** For messages. */
  readonly name: string
  /** When it was last changed, seconds since the epoch; the age of objects in a form that does not tell it. */
  readonly mtime?: number
}

/**
 * Reads cluster state in either form, on the caller's thread; the daemon itself goes through `ConfigLoader`.
 * @throws Failure `configuration` when the file cannot be read, or listing all that is wrong in it
 */
export async function readConfigFile(path: string): Promise<Config> {
  return indexConfig(await readObjects(path))
}

/** As `readConfigFile`, but the plain objects. */
export async function readObjects(path: string): Promise<ConfigObjects> {
  let text: string
  let mtime: number
  try {
    // Text and time through one descriptor: the file may be replaced at any moment.
    const file = await open(path)
    try {
      mtime = (await file.stat()).mtimeMs / 1000
      text = await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new Failure('configuration', `cannot read cluster state from ${path}`, { cause: error })
  }
  return parseObjects(text, { name: path, mtime })
}

/**
 * Makes sense of a file's text: JSON where its first character is `{`, else YAML.
 * @throws Failure `configuration` listing all that is wrong
 */
export function parseConfig(text: string, origin: Origin): Config {
  return indexConfig(parseObjects(text, origin))
}

/** As `parseConfig`, but the plain objects. */
export function parseObjects(text: string, origin: Origin): ConfigObjects {
  try {
    return /^\s*\{/.test(text) ? readConfigData(text, origin.name) : readYaml(text, origin)
  } catch (error) {
    // Lists within lists within lists: no cluster is like that.
    if (error instanceof RangeError) throw new Failure('configuration', `${origin.name}: nested too deeply`)
    throw error
  }
}
