/**
 * Checks whether a file can be replaced by a rename (atomic replace), without
 * doing it: its owner, mounts, the permissions of its folder.
 *
 * Some conditions cannot be read (flags of chattr(1), a sticky folder). But for
 * rmdir(2), the kernel checks all of them before it checks that the name is a
 * directory, so rmdir on the file fails without effect, and its error tells.
 */
import { access, constants, readFile, rmdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ownName } from '../../../daemon/privileges.ts'
import { Irreplaceable } from './file-attributes.ts'

/**
 * @param path of the file itself, without symbolic links
 * @throws Irreplaceable if it cannot be replaced; or the system error
 */
export async function checkReplaceable(path: string): Promise<void> {
  const folder = dirname(path)
  const user = process.geteuid?.()
  const stats = await stat(path)
  if (!stats.isFile()) throw new Irreplaceable('it is not a regular file')
  if (user !== 0 && stats.uid !== user) {
    throw new Irreplaceable('it belongs to another user, and could not be replaced by one that does', {
      cause: new Error(`chown ${ownName()} ${path}`),
    })
  }
  await access(path, constants.W_OK).catch((cause) => {
    if (cause.code !== 'EROFS') throw cause
    throw new Irreplaceable('read-only file system', {
      cause: new Error(`a unit of systemd that does not name ${folder} in ReadWritePaths= may be why`, {
        cause,
      }),
    })
  })
  if (await isMountPoint(path)) {
    throw new Irreplaceable('it is mounted by itself, and what is mounted cannot be replaced', {
      cause: new Error(`mount its folder, ${folder}, instead`),
    })
  }
  await access(folder, constants.W_OK | constants.X_OK).catch((cause) => {
    const message = 'its folder is not writable, and the file is replaced rather than written over'
    throw new Irreplaceable(message, {
      cause: new Error(`let ${ownName()} write to ${folder}`, { cause }),
    })
  })
  await rmdir(path).catch((cause) => {
    if (cause.code === 'ENOTDIR') return
    throw new Irreplaceable('it or its folder is protected against that', {
      cause: new Error(`look at lsattr ${path} and lsattr -d ${folder}`, { cause }),
    })
  })
}

/** Whether a path is a mount point; false if unknown. */
async function isMountPoint(path: string): Promise<boolean> {
  const table = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  // The fifth field is the mount point; white space is escaped as octal numbers.
  const points = table.split('\n').map((line) => line.split(' ')[4] ?? '')
  return points.some((point) => point.replace(/\\([0-7]{3})/g, unescaped) === path)
}

function unescaped(_: string, octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8))
}
