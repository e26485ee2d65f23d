/**
 * The file of cluster state: read when it changes, and written by an atomic
 * replace, so that readers at any time, and after a crash, find either the old
 * state or the new one.
 *
 * A new file is written beside the old one and synced (fsync), renamed over it,
 * and the folder is synced. Right before the rename we check that the old file
 * is still the one that we read. (Only these two system calls are between check
 * and rename; POSIX cannot do both at once.) A symbolic link is followed, and
 * its target replaced. The new file has an unpredictable name, and the same
 * attributes as the old one.
 */
import { type BigIntStats, existsSync, fstatSync, renameSync, statSync } from 'node:fs'
import { type FileHandle, lstat, realpath, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Failure, systemReason } from '../../../failure.ts'
import { openTemporary, removeLeftovers, syncFolder } from '../../../files/atomic-replace.ts'
import { identityOf, mtimeOf } from '../../../files/file-identity.ts'
import type { Config } from '../../../model/config.ts'
import type { makeYamlText } from '../yaml/document/make-yaml-text.ts'
import type { YamlText } from '../yaml/document/yaml-text.ts'
import { ConfigLoader, type Loaded } from './config-loader.ts'
import { type Extras, findExtras, Irreplaceable, makeAlike } from './file-attributes.ts'
import { checkReplaceable } from './replaceable.ts'
import { hashInBackground } from './text-hash.ts'

/** Someone else changed the file before we could replace it; the message is for clients. */
export class FileChanged extends Error {
  override readonly name = 'FileChanged'
}

/** Makes an editable text; the implementation is passed in by the caller (see change-yaml.ts). */
type TextMaker = typeof makeYamlText

/** One state of the file. */
interface FileState {
  readonly config: Config
  /** False for Ganeti's own form. */
  readonly isYaml: boolean
  /** Gives undefined if it is not YAML. */
  readonly text: (maker: TextMaker) => YamlText | undefined
  /** The hash of the text, in hexadecimal. */
  readonly hash: string
  /** The identity of the file in this state; see `identityOf`. */
  readonly identity: string
}

/** A new state of the file, on disk beside it. */
export interface Prepared {
  /** Hashes of the current text and of the new one. */
  readonly before: string
  readonly after: string
  /** The name of the new file. */
  readonly temporary: string
  /**
   * Replaces the old file (rename).
   * @throws FileChanged if the old file is not the one that was read any more
   */
  commit(): Promise<void>
  /** Removes the new file. */
  discard(): Promise<void>
}

/** How long the result of a trial is valid although something has changed in the folder, in milliseconds. */
const PROOF_LASTS = 1000

export class ClusterFile {
  readonly #paths: readonly [string, ...string[]]
  readonly #loader: Pick<ConfigLoader, 'load'>
  /** Whether to sync to disk (fsync). */
  readonly #sync: boolean
  #path: string
  #state: FileState | undefined
  /** The result of the last load, for the next one. */
  #last: Loaded | undefined
  #onWritten: (path: string, identity: string) => void = () => {}
  #loading: Promise<unknown> = Promise.resolve()
  /** Whether attributes must be kept, for the file in the state with this identity. */
  #extras: { readonly identity: string; readonly extras: Extras } | undefined
  /** The states of file and folder at the last trial, and its time. */
  #proven: { readonly rights: string; readonly identities: string; readonly at: number } | undefined
  #trial: Promise<void> | undefined
  #keepsRights = true

  /**
   * @param paths possible paths; the first that exists counts
   * @param loader reads it
   * @param sync false gives no guarantee after crashes, for benchmarks
   */
  constructor(
    paths: readonly [string, ...string[]],
    loader: Pick<ConfigLoader, 'load'> = new ConfigLoader(),
    sync = true,
  ) {
    this.#paths = paths
    this.#loader = loader
    this.#path = paths[0]
    this.#sync = sync
  }

  /** The path that it was last read from. */
  get path(): string {
    return this.#path
  }

  get current(): Config {
    return this.#loaded.config
  }

  /** The same, or undefined if nothing has been read yet. */
  get loaded(): Config | undefined {
    return this.#state?.config
  }

  /** Whether it is a cluster in YAML, rather than in Ganeti's own form, which is never written. */
  get isYaml(): boolean {
    return this.#loaded.isYaml
  }

  /** Its editable text; undefined if it is not YAML. */
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

  /** Adds a listener, called in the same turn of the event loop in which a new state has replaced the file. */
  onWritten(listener: (path: string, identity: string) => void): void {
    this.#onWritten = listener
  }

  /**
   * Reads the file, once it is not being written, unless it is unchanged since it was last read or written.
   * @param anew reads it even if unchanged
   * @throws Failure `configuration` if it cannot be read, or that lists all mistakes in it
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
    const { loaded, source } = await this.#loader.load(path, this.#last)
    this.#last = loaded
    // We have written it while it was being read; what we wrote is newer.
    if (this.#state && this.#state !== before && lookAt(path) === this.#state.identity)
      return this.#state.config
    const { identity, hash, yaml } = source
    this.#path = path
    let text: YamlText | undefined
    // Cut into pieces only at the first change.
    const cut = (maker: TextMaker) => {
      if (yaml) text ??= maker(yaml.text, yaml.cuts)
      return text
    }
    this.#state = { config: loaded.config, isYaml: yaml !== undefined, text: cut, hash, identity }
    return loaded.config
  }

  /**
   * Checks, as far as possible beforehand, that the file can be replaced.
   * @throws Failure `unsupported` for a form that is never written, `unavailable` if we may not
   */
  async checkWritable(): Promise<void> {
    if (!this.isYaml) {
      throw new Failure(
        'unsupported',
        "The cluster's state is Ganeti's own configuration, which only its master daemon may change: it is never written here, and there is no master daemon to ask",
        { cause: new Error(`it was read from ${this.#path}`) },
      )
    }
    try {
      await this.#tryWriting()
    } catch (cause) {
      // Clients get the reason; only the log has the path.
      const reason = cause instanceof Irreplaceable ? cause.message : systemReason(cause)
      const told = cause instanceof Irreplaceable ? cause.cause : cause
      throw new Failure(
        'unavailable',
        `No job can be taken: cannot write the cluster's file: ${reason ?? 'Internal error'}`,
        { cause: new Error(`it is ${this.#path}`, { cause: told }) },
      )
    }
  }

  /** Whether, at the last trial, the new file had all rights of the old one. */
  get keepsRights(): boolean {
    return this.#keepsRights
  }

  /** Tries all steps of replacing the file that leave no trace, unless that was done a moment ago. */
  async #tryWriting(): Promise<void> {
    const path = await realpath(this.#path)
    const { rights, identities } = await surroundings(path)
    const proven = this.#proven
    if (proven?.rights === rights) {
      if (proven.identities === identities || performance.now() - proven.at < PROOF_LASTS) return
    }
    this.#trial ??= this.#try(path, rights).finally(() => {
      this.#trial = undefined
    })
    await this.#trial
  }

  async #try(path: string, rights: string): Promise<void> {
    this.#proven = undefined
    await checkReplaceable(path)
    const { handle, temporary } = await openTemporary(path)
    try {
      this.#keepsRights = await makeAlike(handle, path, await this.#extrasOf(path, temporary))
    } finally {
      await handle.close()
      await unlink(temporary)
    }
    const { identities } = await surroundings(path)
    this.#proven = { rights, identities, at: performance.now() }
  }

  /** Whether the file has attributes other than owner, group and mode; checked once for each state made by others. */
  async #extrasOf(path: string, temporary: string): Promise<Extras> {
    const { identity } = this.#loaded
    // The new file may inherit something from the folder.
    if (this.#extras?.identity !== identity)
      this.#extras = { identity, extras: await findExtras(temporary, path) }
    return this.#extras.extras
  }

  /**
   * Writes a new state beside the file.
   * @throws Irreplaceable, or the system error
   */
  async prepare(text: YamlText, config: Config): Promise<Prepared> {
    const { identity, hash: before } = this.#loaded
    const path = await realpath(this.#path)
    const bytes = text.toBytes()
    const { handle, temporary } = await openTemporary(path)
    const discard = async () => {
      // The failure may happen again, so forget the last trial.
      this.#proven = undefined
      await handle.close().catch(() => {})
      await unlink(temporary).catch(() => {})
    }
    let after: string
    let extras: Extras
    try {
      extras = await this.#extrasOf(path, temporary)
      await makeAlike(handle, path, extras)
      // The hash of a large file takes long, so it is made on another thread.
      ;[after] = await Promise.all([hashInBackground(bytes), this.#fill(handle, bytes)])
    } catch (error) {
      await discard()
      throw error
    }
    const commit = async () => {
      // The check and the rename must follow each other directly.
      if (lookAt(path) !== identity) throw new FileChanged('it was changed by somebody else')
      renameSync(temporary, path)
      // Notify at once, before the watcher can take the new file for someone else's.
      const stats = fstatSync(handle.fd, { bigint: true })
      const written = identityOf(stats)
      this.#onWritten(this.#path, written)
      this.#state = {
        config: { ...config, mtime: mtimeOf(stats) },
        isYaml: true,
        text: () => text,
        hash: after,
        identity: written,
      }
      this.#extras = { identity: written, extras }
      // The replacement is done even if this fails; if a disk failure reverts it, the next start notices.
      await handle.close().catch(() => {})
      if (this.#sync) await syncFolder(dirname(path)).catch(() => {})
    }
    return { before, after, temporary: basename(temporary), commit, discard }
  }

  async #fill(handle: FileHandle, bytes: Buffer): Promise<void> {
    await handle.writeFile(bytes)
    if (this.#sync) await handle.sync()
  }

  /** Whether a crash has left a new file beside the old one. */
  async hasTemporary(name: string): Promise<boolean> {
    return lstat(await this.#beside(name)).then(
      () => true,
      (error) => error.code !== 'ENOENT',
    )
  }

  /** Removes a file that a crash may have left. */
  async removeTemporary(name: string): Promise<void> {
    await unlink(await this.#beside(name)).catch(() => {})
  }

  async #beside(name: string): Promise<string> {
    return join(dirname(await realpath(this.#path)), name)
  }

  /** Removes the temporary files that crashes left beside the file. */
  async removeLeftovers(): Promise<void> {
    await removeLeftovers(await realpath(this.#path)).catch(() => {})
  }
}

/** The state of a file and its folder: permissions and identity. */
async function surroundings(path: string): Promise<{ rights: string; identities: string }> {
  const [file, folder] = await Promise.all([
    stat(path, { bigint: true }),
    stat(dirname(path), { bigint: true }),
  ])
  return {
    rights: `${rightsOf(file)} ${rightsOf(folder)}`,
    identities: `${identityOf(file)} ${identityOf(folder)}`,
  }
}

/** The permissions of a file or folder. */
function rightsOf({ dev, mode, uid, gid }: BigIntStats): string {
  return `${dev}:${mode}:${uid}:${gid}`
}

function nothingAt(paths: readonly [string, ...string[]]): string {
  const [path, ...others] = paths
  // Reading it will give the error.
  if (others.length === 0) return path
  throw new Failure('configuration', `cannot read cluster state: there is neither ${paths.join(' nor ')}`, {
    nextStep: `write ${others.at(-1)} (ganeti-rapi(8) has an example), or name another file: --config`,
  })
}

function lookAt(path: string): string {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stats ? identityOf(stats) : 'gone'
}
