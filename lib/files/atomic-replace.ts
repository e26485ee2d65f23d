/**
 * The parts of an atomic replace: a temporary file beside the one to replace,
 * with a name that is unpredictable; after the rename, the folder synced; and
 * what crashes leave, removed.
 */
import { randomBytes } from 'node:crypto'
import { constants, type FileHandle, lstat, open, readdir, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** A new file that is older than this was left over from a crash; milliseconds. */
const WORK_LASTS = 60_000
/** The random part of a new file's name. */
const RANDOM_BYTES = 8

/** Creates a file with a new name, readable only for its owner. */
export async function openTemporary(path: string): Promise<{ handle: FileHandle; temporary: string }> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(RANDOM_BYTES).toString('hex')}.new`)
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  return { handle: await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600), temporary }
}

/** Whether a name is one of `openTemporary`; the shorter form is that of earlier versions. */
function isTemporary(name: string, path: string): boolean {
  const prefix = `.${basename(path)}.`
  if (!name.startsWith(prefix) || !name.endsWith('new')) return false
  return /^(?:[0-9a-f]{16}\.)?new$/.test(name.slice(prefix.length))
}

/** Syncs a folder (fsync), so that its renames survive a crash. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/**
 * Removes temporary files of our own beside a file that are so old that no replace can be at work on them.
 * @throws the error of the system
 */
export async function removeLeftovers(path: string): Promise<void> {
  const folder = dirname(path)
  const names = (await readdir(folder)).filter((name) => isTemporary(name, path))
  await Promise.all(
    names.map(async (name) => {
      const left = join(folder, name)
      const stats = await lstat(left)
      const isOurs = stats.isFile() && stats.uid === process.geteuid?.()
      if (isOurs && Date.now() - stats.mtimeMs > WORK_LASTS) await unlink(left)
    }),
  )
}
