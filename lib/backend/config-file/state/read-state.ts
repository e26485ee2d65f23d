/**
 * Cluster state from a file: Ganeti's own `config.data`, or a cluster that a
 * person wrote down in YAML. Both become the same `Config`.
 *
 * The way from text to objects is pure, so that it can be done elsewhere than
 * on the daemon's own thread.
 */
import { Failure } from '../../../failure.ts'
import { identityOf, mtimeOf } from '../../../files/file-identity.ts'
import { readStable } from '../../../files/stable-read.ts'
import type { ConfigObjects } from '../../../model/config.ts'
import { readConfigData } from '../config-data/read-config-data.ts'
import { readYamlText } from '../yaml/read/read-yaml.ts'
import type { Cuts } from '../yaml/syntax/yaml-cuts.ts'
import { decodeText } from './decode-text.ts'
import { hashOf } from './text-hash.ts'

/** Ganeti's own form; YAML, too, may begin with a brace. */
const GANETIS = /^\s*\{.*?"version"\s*:/s

/** About the file a text is from. */
export interface Origin {
  /** For messages. */
  readonly name: string
  /** When it was last changed, seconds since the epoch; the age of objects in a form that does not tell it. */
  readonly mtime?: number
}

/** A file as it was read: what tells it from another state of it, and its text where that can be changed. */
export interface FileSource {
  /** Changes with whatever happens to the file (see `identityOf`). */
  readonly identity: string
  /** Of the text: SHA-256 in hexadecimal. */
  readonly hash: string
  /** Undefined for Ganeti's own form, which is never written. */
  readonly yaml?: { readonly text: string; readonly cuts: Cuts }
}

/**
 * Reads cluster state in either form, on the caller's thread.
 * @throws Failure `configuration` when the file cannot be read, or listing all that is wrong in it
 */
export async function readFileState(path: string): Promise<{ objects: ConfigObjects; source: FileSource }> {
  const { bytes, stats } = await readStable(path).catch((cause) => {
    throw new Failure('configuration', `cannot read cluster state from ${path}`, { cause })
  })
  const text = decodeText(bytes, path)
  const { objects, cuts } = parseState(text, { name: path, mtime: mtimeOf(stats) })
  const source = { identity: identityOf(stats), hash: hashOf(text), ...(cuts && { yaml: { text, cuts } }) }
  return { objects, source }
}

/**
 * Makes sense of a file's text: YAML, unless it is JSON with a version, as Ganeti's always is.
 * @throws Failure `configuration` listing all that is wrong
 */
export function parseState(text: string, origin: Origin): { objects: ConfigObjects; cuts?: Cuts } {
  try {
    if (GANETIS.test(text)) return { objects: readConfigData(text.replace(/^\uFEFF/, ''), origin.name) }
    return readYamlText(text, origin)
  } catch (error) {
    // Lists within lists within lists: no cluster is like that.
    if (error instanceof RangeError) throw new Failure('configuration', `${origin.name}: nested too deeply`)
    throw error
  }
}
