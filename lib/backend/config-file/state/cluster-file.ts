/**
 * The file that cluster state lives in: read when it changes, and written
 * whole, so that whoever reads it at any moment, after a crash too, finds one
 * state or the next and nothing between.
 *
 * Writing goes by way of a file beside it: written, synced, renamed over the
 * old one, the folder synced. Right before the rename we look whether the file
 * is still the one we read. (Between that look and the rename there is nothing
 * but the two system calls; POSIX has no way to do both at once.) A link is
 * followed, and its target replaced. The new file has a name that nobody can
 * know beforehand, and is what the old one is besides its text.
 */
import { randomBytes } from 'node:crypto'
import { type BigIntStats, existsSync, fstatSync, renameSync, statSync } from 'node:fs'
import { constants, type FileHandle, lstat, open, readdir, realpath, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Failure, systemReason } from '../../../failure.ts'
import { identityOf, mtimeOf } from '../../../files/file-identity.ts'
import type { Config } from '../../../model/config.ts'
import type { makeYamlText } from '../yaml/document/make-yaml-text.ts'
import type { YamlText } from '../yaml/document/yaml-text.ts'
import { ConfigLoader, type Loaded } from './config-loader.ts'
import { type Extras, findExtras, Irreplaceable, makeAlike } from './file-attributes.ts'
import { checkReplaceable } from './replaceable.ts'
import { hashInBackground } from './text-hash.ts'

/** Somebody else changed the file while we were about to; the message is for clients. */
export class FileChanged extends Error {
  override readonly name = 'FileChanged'
}

/** Makes a text that can be changed; the class itself is for those who load it (see change-yaml.ts). */
type TextMaker = typeof makeYamlText

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

/** For how long it is believed that writing goes as it went, though something has changed in the folder; milliseconds. */
const PROOF_LASTS = 1000
/** A new file that is older than this belongs to nobody any more; milliseconds. */
const WORK_LASTS = 60_000
/** Of a new file's name. */
const RANDOM_BYTES = 8

export class ClusterFile {
  readonly #paths: readonly [string, ...string[]]
  readonly #loader: Pick<ConfigLoader, 'load'>
  /** Whether to wait for the disk. */
  readonly #sync: boolean
  #path: string
  #state: FileState | undefined
  /** What the last load gave, for the next one. */
  #last: Loaded | undefined
  #onWritten: (path: string, identity: string) => void = () => {}
  #loading: Promise<unknown> = Promise.resolve()
  /** What is to be kept of the file in the state with this identity. */
  #extras: { readonly identity: string; readonly extras: Extras } | undefined
  /** What file and folder were like when writing was last tried, and when. */
  #proven: { readonly rights: string; readonly identities: string; readonly at: number } | undefined
  #trial: Promise<void> | undefined
  #keepsRights = true

  /**
   * @param paths where it may be; the first that exists counts
   * @param loader reads it
   * @param sync false gives up what is promised of crashes, for trials of speed
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

  /** Has a listener called in the same turn of the event loop in which a new state has replaced the file. */
  onWritten(listener: (path: string, identity: string) => void): void {
    this.#onWritten = listener
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
    const { loaded, source } = await this.#loader.load(path, this.#last)
    this.#last = loaded
    // Written by ourselves while it was read: what we wrote is newer.
    if (this.#state && this.#state !== before && lookAt(path) === this.#state.identity)
      return this.#state.config
    const { identity, hash, yaml } = source
    this.#path = path
    let text: YamlText | undefined
    // Cut into pieces only once somebody wants to change it.
    const cut = (maker: TextMaker) => {
      if (yaml) text ??= maker(yaml.text, yaml.cuts)
      return text
    }
    this.#state = { config: loaded.config, isYaml: yaml !== undefined, text: cut, hash, identity }
    return loaded.config
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
    try {
      await this.#tryWriting()
    } catch (cause) {
      // Clients learn why, and where only the log.
      const reason = cause instanceof Irreplaceable ? cause.message : systemReason(cause)
      const told = cause instanceof Irreplaceable ? cause.cause : cause
      throw new Failure(
        'unavailable',
        `No job can be taken: cannot write the cluster's file: ${reason ?? 'Internal error'}`,
        { cause: new Error(`it is ${this.#path}`, { cause: told }) },
      )
    }
  }

  /** Whether, when writing was last tried, everybody kept the rights to the file that they had. */
  get keepsRights(): boolean {
    return this.#keepsRights
  }

  /** Tries whatever writing takes that leaves no trace, unless that has been done a moment ago. */
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
    const { handle, temporary } = await openBeside(path)
    try {
      this.#keepsRights = await makeAlike(handle, path, await this.#extrasOf(path, temporary))
    } finally {
      await handle.close()
      await unlink(temporary)
    }
    const { identities } = await surroundings(path)
    this.#proven = { rights, identities, at: performance.now() }
  }

  /** Whether there is more to keep than owner, group and mode; asked once for each state that others leave the file in. */
  async #extrasOf(path: string, temporary: string): Promise<Extras> {
    const { identity } = this.#loaded
    // The new file may inherit something from the folder.
    if (this.#extras?.identity !== identity)
      this.#extras = { identity, extras: await findExtras(temporary, path) }
    return this.#extras.extras
  }

  /**
   * Writes a new state beside the file.
   * @throws Irreplaceable, or whatever the file system has to say
   */
  async prepare(text: YamlText, config: Config): Promise<Prepared> {
    const { identity, hash: before } = this.#loaded
    const path = await realpath(this.#path)
    const bytes = text.toBytes()
    const { handle, temporary } = await openBeside(path)
    const discard = async () => {
      // Whatever it was that failed may fail again.
      this.#proven = undefined
      await handle.close().catch(() => {})
      await unlink(temporary).catch(() => {})
    }
    let after: string
    let extras: Extras
    try {
      extras = await this.#extrasOf(path, temporary)
      await makeAlike(handle, path, extras)
      // A large file's hash takes its time, which others need not wait for.
      ;[after] = await Promise.all([hashInBackground(bytes), this.#fill(handle, bytes)])
    } catch (error) {
      await discard()
      throw error
    }
    const commit = async () => {
      // Nothing may come between these two.
      if (lookAt(path) !== identity) throw new FileChanged('it was changed by somebody else')
      renameSync(temporary, path)
      // Told at once, before the new file can be taken for another's.
      const stats = fstatSync(handle.fd, { bigint: true })
      this.#onWritten(this.#path, identityOf(stats))
      this.#state = {
        config: { ...config, mtime: mtimeOf(stats) },
        isYaml: true,
        text: () => text,
        hash: after,
        identity: identityOf(stats),
      }
      this.#extras = { identity: identityOf(stats), extras }
      // It is done, whatever becomes of this; should it be undone by a failing disk, the next start finds out.
      await handle.close().catch(() => {})
      if (this.#sync) await syncFolder(dirname(path)).catch(() => {})
    }
    return { before, after, temporary: basename(temporary), commit, discard }
  }

  async #fill(handle: FileHandle, bytes: Buffer): Promise<void> {
    await handle.writeFile(bytes)
    if (this.#sync) await handle.sync()
  }

  /** Whether a crash has left a new state beside the file. */
  async hasTemporary(name: string): Promise<boolean> {
    return lstat(await this.#beside(name)).then(
      () => true,
      (error) => error.code !== 'ENOENT',
    )
  }

  /** Removes what a crash may have left beside the file. */
  async removeTemporary(name: string): Promise<void> {
    await unlink(await this.#beside(name)).catch(() => {})
  }

  async #beside(name: string): Promise<string> {
    return join(dirname(await realpath(this.#path)), name)
  }

  /** Removes what crashes left beside the file before anything told of it, once nobody can be at work on it. */
  async removeLeftovers(): Promise<void> {
    const path = await realpath(this.#path)
    const folder = dirname(path)
    const names = (await readdir(folder)).filter((name) => isTemporary(name, path))
    await Promise.all(
      names.map(async (name) => {
        const left = join(folder, name)
        const stats = await lstat(left)
        const isOurs = stats.isFile() && stats.uid === process.geteuid?.()
        if (isOurs && Date.now() - stats.mtimeMs > WORK_LASTS) await unlink(left)
      }),
    ).catch(() => {})
  }
}

/** Opens a file with a new name, for its owner alone. */
async function openBeside(path: string): Promise<{ handle: FileHandle; temporary: string }> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(RANDOM_BYTES).toString('hex')}.new`)
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  return { handle: await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600), temporary }
}

/** Whether a name is one that `openBeside` gives; the shorter one is that of earlier versions. */
function isTemporary(name: string, path: string): boolean {
  const prefix = `.${basename(path)}.`
  if (!name.startsWith(prefix) || !name.endsWith('new')) return false
  return /^(?:[0-9a-f]{16}\.)?new$/.test(name.slice(prefix.length))
}

/** What a file and its folder are like: who may do what with them, and what tells this state from another. */
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

/** Who may do what with a file or folder. */
function rightsOf({ dev, mode, uid, gid }: BigIntStats): string {
  return `${dev}:${mode}:${uid}:${gid}`
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
