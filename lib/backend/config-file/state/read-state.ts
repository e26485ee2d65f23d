/**
 * Cluster state from a file: Ganeti's own `config.data`, or YAML written by
 * hand. Both become the same `Config`.
 *
 * The functions from text to objects are pure, so that they can run on another
 * thread.
 */
import { ownName } from '../../../daemon/privileges.ts'
import { Failure } from '../../../failure.ts'
import { identityOf, mtimeOf } from '../../../files/file-identity.ts'
import { readStable } from '../../../files/stable-read.ts'
import type { ConfigObjects } from '../../../model/config.ts'
import { readConfigData } from '../config-data/read-config-data.ts'
import { readYamlText } from '../yaml/read/read-yaml.ts'
import type { Cuts } from '../yaml/syntax/yaml-cuts.ts'
import { decodeText } from './decode-text.ts'
import { hashOf } from './text-hash.ts'

/** Detects Ganeti's own form; YAML may begin with a brace too. */
const GANETIS = /^\s*\{.*?"version"\s*:/s

/** The file of a text. */
export interface Origin {
  /** For messages. */
  readonly name: string
  /** When it was last changed, in seconds since the epoch; the default time of objects. */
  readonly mtime?: number
}

/** A file as it was read: its identity, and its text if that can be changed. */
export interface FileSource {
  /** Changes with every change of the file (see `identityOf`). */
  readonly identity: string
  /** SHA-256 of the text in hexadecimal. */
  readonly hash: string
  /** Undefined for Ganeti's own form, which is never written. */
  readonly yaml?: { readonly text: string; readonly cuts: Cuts }
}

/**
 * Reads cluster state in either form, on the caller's thread (the daemon uses `ConfigLoader`).
 * @throws Failure `configuration` if the file cannot be read, or that lists all mistakes in it
 */
export async function readFileState(path: string): Promise<{ objects: ConfigObjects; source: FileSource }> {
  const { bytes, stats } = await readStable(path).catch((cause) => {
    throw new Failure('configuration', `cannot read cluster state from ${path}`, {
      cause,
      nextStep: readingStep(cause),
    })
  })
  const text = decodeText(bytes, path)
  const { objects, cuts } = parseState(text, { name: path, mtime: mtimeOf(stats) })
  const source = { identity: identityOf(stats), hash: hashOf(text), ...(cuts && { yaml: { text, cuts } }) }
  return { objects, source }
}

/**
 * Parses the text of a file: as YAML, unless it is JSON with a version, like Ganeti's own form.
 * @throws Failure `configuration` that lists all mistakes
 */
export function parseState(text: string, origin: Origin): { objects: ConfigObjects; cuts?: Cuts } {
  try {
    if (GANETIS.test(text)) return { objects: readConfigData(text.replace(/^\uFEFF/, ''), origin.name) }
    return readYamlText(text, origin)
  } catch (error) {
    // A stack overflow from too deep nesting, which no real cluster has.
    if (error instanceof RangeError) throw new Failure('configuration', `${origin.name}: nested too deeply`)
    throw error
  }
}

function readingStep({ code }: NodeJS.ErrnoException): string | undefined {
  switch (code) {
    case 'ENOENT':
      return 'write one, in YAML (ganeti-rapi(8) has an example), or name the file that is there: --config'
    case 'EISDIR':
      return '--config must name a file in it'
    case 'EACCES':
      return `the user ${ownName()} must be allowed to read it`
  }
  return undefined
}
