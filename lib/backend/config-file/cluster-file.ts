/**
 * The file that cluster state lives in: read when it changes, and written
 * whole, so that whoever reads it at any moment, after a crash too, finds one
 * state or the next and nothing between.
 *
 * Writing goes by way of a file beside it: written, synced, renamed over the
 * old one, the folder synced. Right before the rename we look whether the file
 * is still the one we read. (Between that look and the rename there is nothing
 * but the two system calls; POSIX has no way to do both at once.) A link is
 * followed, and its target replaced.
 */
import { existsSync, fstatSync, renameSync, statSync } from 'node:fs'
import { access, constants, type FileHandle, open, realpath, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Failure, systemReason } from '../../failure.ts'
import { identityOf } from '../../file-identity.ts'
import type { Config } from '../../model/config.ts'
import { hashInBackground, secondsOf } from './file-identity.ts'
import { ConfigLoader } from './load.ts'
import type { YamlText } from './yaml-text.ts'

/** Somebody else changed the file while we were about to; the message is for clients. */
export class FileChanged extends Error {
  override readonly name = 'FileChanged'
}

/** Makes a text that can be changed; the class itself is for those who load it (see change-yaml.ts). */
type TextMaker = Pick<typeof YamlText, 'of'>

/** One state of the file. */
interface FileState {
  readonly config: Config
  /** False for Ganeti's own form. */
  readonly isYaml: boolean
  /** Gives undefined for what is not YAML. */
  readonly text: (maker: TextMaker) => YamlText | undefined
  /** Of the text, in hexadecimal. */
  readonly hash: string
  /** What tells this file from another, or from itself once changed. */
  readonly identity: string
}

/** A new state of the file, on disk beside it. */
export interface Prepared {
  /** Hashes of the text that is there and of the one that is to be. */
  readonly before: string
  readonly after: string
  /** The name of the file that has it. */
  readonly temporary: string
  /**
   * Puts it in the place of the old one.
   * @throws FileChanged where the file is not the one that was read any more
   */
  commit(): Promise<void>
  /** Forgets it. */
  discard(): Promise<void>
}

export class ClusterFile {
  readonly #paths: readonly [string, ...string[]]
  readonly #loader: Pick<ConfigLoader, 'loadState'>
  /** Whether to wait for the disk. */
  readonly #sync: boolean
  #path: string
  #state: FileState | undefined
  #loading: Promise<unknown> = Promise.resolve()

  /**
   * @param paths where it may be; the first that exists counts
   * @param loader reads it
   * @param sync false gives up what is promised of crashes, for trials of speed
   */
  constructor(
    paths: readonly [string, ...string[]],
    loader: Pick<ConfigLoader, 'loadState'> = new ConfigLoader(),
    sync = true,
  ) {
    this.#paths = paths
    this.#loader = loader
    this.#path = paths[0]
    this.#sync = sync
  }

  /** Where it was last read from. */
  get path(): string {
    return this.#path
  }

  get current(): Config {
    return this.#loaded.config
  }

  /** The same, or undefined where nothing has been read yet. */
  get loaded(): Config | undefined {
    return this.#state?.config
  }

  /** Whether it is a cluster in YAML, rather than in Ganeti's own form, which is never written. */
  get isYaml(): boolean {
    return this.#loaded.isYaml
  }

  /** What can be changed of it: undefined where it is not YAML. */
  text(maker: TextMaker): YamlText | undefined {
    return this.#loaded.text(maker)
  }

  get hash(): string {
    return this.#loaded.hash
  }

  get #loaded(): FileState {
    if (!this.#state) throw new Error('the cluster file has not been loaded')
    return this.#state
  }

  /**
   * Reads the file, once nobody is writing it, unless it is the very one that was read or written last.
   * @param anew reads it all the same
   * @throws Failure `configuration` when it cannot be read, or listing all that is wrong in it
   */
  load(anew = false): Promise<Config> {
    const loading = this.#loading.then(() => this.#load(anew))
    this.#loading = loading.catch(() => {})
    return loading
  }

  async #load(anew: boolean): Promise<Config> {
    const path = this.#paths.find((one) => existsSync(one)) ?? nothingAt(this.#paths)
    const before = this.#state
    if (!anew && before && lookAt(path) === before.identity) return before.config
    const { config, source } = await this.#loader.loadState(path)
    // Written by ourselves while it was read: what we wrote is newer.
    if (this.#state && this.#state !== before && lookAt(path) === this.#state.identity)
      return this.#state.config
    const { identity, hash, yaml } = source
    this.#path = path
    let text: YamlText | undefined
    // Cut into pieces only once somebody wants to change it.
    const cut = (maker: TextMaker) => {
      if (yaml) text ??= maker.of(yaml.text, yaml.cuts)
      return text
    }
    this.#state = { config, isYaml: yaml !== undefined, text: cut, hash, identity }
    return config
  }

  /**
   * Makes sure, as far as that can be told beforehand, that the file can be written.
   * @throws Failure `unsupported` for a form that never is, `unavailable` where we may not
   */
  async checkWritable(): Promise<void> {
    if (!this.isYaml) {
      throw new Failure(
        'unsupported',
        "The cluster's state is Ganeti's own configuration, which only its master daemon may change: it is never written here, and there is no master daemon to ask",
        { cause: new Error(`it was read from ${this.#path}`) },
      )
    }
    // Clients learn why, and where only the log.
    const refuse = (reason: string, cause?: unknown): never => {
      throw new Failure('unavailable', `No job can be taken: cannot write the cluster's file: ${reason}`, {
        cause: new Error(`it is ${this.#path}`, { cause }),
      })
    }
    const refused = (cause: unknown) => refuse(systemReason(cause) ?? 'Internal error', cause)
    const path = await realpath(this.#path).catch(refused)
    const folder = dirname(path)
    await access(path, constants.W_OK).catch(refused)
    await access(folder, constants.W_OK | constants.X_OK).catch((cause) =>
      refuse('its folder is not writable, and the file is replaced rather than written over', cause),
    )
    const { uid } = await stat(path).catch(refused)
    const user = process.geteuid?.()
    if (user !== 0 && uid !== user)
      refuse('it belongs to another user, and could not be replaced by one that does')
  }

  /**
   * Writes a new state beside the file.
   * @throws whatever the file system has to say
   */
  async prepare(text: YamlText, config: Config): Promise<Prepared> {
    const { identity, hash: before } = this.#loaded
    const path = await realpath(this.#path)
    const temporary = join(dirname(path), `.${basename(path)}.new`)
    const bytes = text.toBytes()
    const handle = await open(temporary, 'w', 0o600)
    const discard = async () => {
      await handle.close().catch(() => {})
      await unlink(temporary).catch(() => {})
    }
    let after: string
    try {
      // A large file's hash takes its time, which others need not wait for.
      ;[after] = await Promise.all([hashInBackground(bytes), this.#fill(handle, bytes, path)])
    } catch (error) {
      await discard()
      throw error
    }
    const commit = async () => {
      // Nothing may come between these two.
      if (lookAt(path) !== identity) throw new FileChanged('it was changed by somebody else')
      renameSync(temporary, path)
      // Known at once, lest whoever sees a new file takes it for somebody else's.
      const stats = fstatSync(handle.fd, { bigint: true })
      this.#state = {
        config: { ...config, mtime: secondsOf(stats.mtimeNs) },
        isYaml: true,
        text: () => text,
        hash: after,
        identity: identityOf(stats),
      }
      // It is done, whatever becomes of this; should it be undone by a failing disk, the next start finds out.
      await handle.close().catch(() => {})
      if (this.#sync) await syncFolder(dirname(path)).catch(() => {})
    }
    return { before, after, temporary: basename(temporary), commit, discard }
  }

  /** Mode and owner of the new file are those of the old one. */
  async #fill(handle: FileHandle, bytes: Buffer, path: string): Promise<void> {
    const like = await stat(path)
    await handle.chmod(like.mode & 0o7777)
    const { uid, gid } = await handle.stat()
    if (uid !== like.uid || gid !== like.gid) await handle.chown(like.uid, like.gid)
    await handle.writeFile(bytes)
    if (this.#sync) await handle.sync()
  }

  /** Removes what a crash may have left beside the file. @returns whether there was something */
  async removeTemporary(name: string): Promise<boolean> {
    const path = join(dirname(await realpath(this.#path)), name)
    return unlink(path).then(
      () => true,
      () => false,
    )
  }
}

function nothingAt(paths: readonly [string, ...string[]]): string {
  const [path, ...others] = paths
  // The attempt to read it tells why it is not there.
  if (others.length === 0) return path
  throw new Failure(
    'configuration',
    `cannot read cluster state: there is neither ${paths.join(' nor ')}; option --config names another file`,
  )
}

/** Makes the renames in a folder last. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function lookAt(path: string): string {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stats ? identityOf(stats) : 'gone'
}
