/**
 * The attributes of a file: owner, group, mode, access control list (ACL),
 * extended attributes. A file that replaces another gets them, and never gives
 * anyone more rights than the old one (least privilege).
 *
 * Node has no calls for ACLs and extended attributes. tar(1) has them in its
 * headers, so it is used to check whether there are any; only if there are, cp(1)
 * copies them, as that takes a process for every replacement. Both are part of
 * every Debian. A default ACL of the folder is removed from the new file by
 * setfacl(1), as not every version of cp removes it if the old file has no ACL.
 * SELinux labels are left to its policy.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Stats } from 'node:fs'
import { type FileHandle, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The file cannot be replaced. The message gives the reason, also to clients; the cause is only for the log. */
export class Irreplaceable extends Error {
  override readonly name = 'Irreplaceable'
}

/** Whether ACLs and extended attributes must be handled when a file is replaced. */
export interface Extras {
  /** Whether the old file has any; unknown without a tar that supports them. */
  readonly own: 'none' | 'some' | 'unknown'
  /** Whether the new file has inherited some from its folder. */
  readonly inherited: boolean
}

/** The id that Linux shows for an owner or group without a mapping in the user namespace. */
const HIDDEN_ID = 65534

const BLOCK = 512
/** The positions of size (in octal digits) and type in a tar header. */
const SIZE = [124, 136] as const
const KIND = 156
/** The type of an extended header for the next file, with lines such as `30 mtime=...`. */
const EXTENDED = 'x'
const EXTRA = / SCHILY\.(?:acl\.|xattr\.(?!security\.selinux=))/

/** The path by which child processes can open the new file. */
const OPEN_FILE = '/proc/self/fd/3'

/** The environment of child processes, without a user's options or language. */
const ENVIRONMENT = { PATH: process.env.PATH, LC_ALL: 'C' }

/**
 * @param fresh the new file, still empty
 * @param old the file that it will replace
 * @throws the system error if tar(1) exists and cannot be run
 */
export async function findExtras(fresh: string, old: string): Promise<Extras> {
  const [inherited, own] = await whichHaveExtras([fresh, old])
  if (inherited === undefined || own === undefined) return { own: 'unknown', inherited: false }
  return { own: own ? 'some' : 'none', inherited }
}

/** @returns whether each of a few files has such attributes, as far as known; reads only the headers of tar */
async function whichHaveExtras(paths: readonly string[]): Promise<boolean[]> {
  const options = ['--create', '--format=posix', '--acls', '--xattrs', '--absolute-names', '--file=-']
  const tar = spawn('tar', [...options, '--', ...paths], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: ENVIRONMENT,
  })
  const ended = once(tar, 'close').then(
    () => undefined,
    (error) => error,
  )
  const answers: boolean[] = []
  let hasExtras = false
  let unread = Buffer.alloc(0)
  let toSkip = 0
  // Without a process there is no output.
  for await (const chunk of tar.stdout ?? []) {
    unread = Buffer.concat([unread, chunk])
    while (answers.length < paths.length) {
      const skipped = Math.min(toSkip, unread.length)
      unread = unread.subarray(skipped)
      toSkip -= skipped
      if (unread.length < BLOCK) break
      const size = Number.parseInt(unread.toString('latin1', ...SIZE), 8)
      const blocks = Math.ceil(size / BLOCK) * BLOCK
      if (String.fromCharCode(unread[KIND] as number) === EXTENDED) {
        if (unread.length < BLOCK + blocks) break
        hasExtras = EXTRA.test(unread.toString('latin1', BLOCK, BLOCK + size))
      } else {
        answers.push(hasExtras)
        hasExtras = false
      }
      toSkip = BLOCK + blocks
    }
    if (answers.length === paths.length) break
  }
  tar.kill()
  const error = await ended
  if (error && error.code !== 'ENOENT') throw error
  return answers
}

/**
 * Gives a new file, which is open and so far accessible only for its owner, the attributes of another file.
 *
 * If we cannot set the group (we are not in it, or cannot see it), the new file keeps its own group; group and
 * others then get only the rights that both the old group and others had. The same is done if it is unknown
 * whether there is an ACL, as the group bits may then be the mask of an ACL.
 *
 * @returns whether all rights were kept; if not, some are missing
 * @throws Irreplaceable if its owner, its ACL or its extended attributes cannot be kept; and any system error
 */
export async function makeAlike(
  handle: FileHandle,
  path: string,
  { own, inherited }: Extras,
): Promise<boolean> {
  const like = await stat(path)
  const keepsGroup = await giveOwners(handle, like)
  if (own === 'some' && !keepsGroup) {
    throw new Irreplaceable(
      'it has an access control list or extended attributes, and a group that cannot be kept',
      { cause: new Error('give it a group of the user, or take these away with setfacl -b') },
    )
  }
  if (inherited) await removeInherited(dirname(path), handle)
  if (own === 'some') {
    await copyExtras(path, handle)
    return true
  }
  const mode = like.mode & 0o777
  const given = keepsGroup && own === 'none' ? mode : withoutGroup(mode)
  await handle.chmod(given)
  return given === mode
}

/** @returns whether the new file has the group of the other one */
async function giveOwners(handle: FileHandle, { uid, gid }: Stats): Promise<boolean> {
  const own = await handle.stat()
  // Two groups without a mapping have the same id.
  if (own.uid === uid && own.gid === gid && gid !== HIDDEN_ID) return true
  try {
    await handle.chown(uid, gid)
    return true
  } catch {
    if (own.uid === uid) return false
  }
  await handle.chown(uid, own.gid).catch((cause) => {
    throw new Irreplaceable('its owner cannot be kept', { cause })
  })
  return false
}

/** The rights that are safe for members of the old and the new group: those that group and others both have. */
function withoutGroup(mode: number): number {
  const common = (mode >> 3) & mode & 0o7
  return (mode & 0o700) | (common << 3) | common
}

async function removeInherited(folder: string, handle: FileHandle): Promise<void> {
  const fault = await runOn(handle, 'setfacl', ['--remove-all', '--', OPEN_FILE])
  if (fault) {
    const advice = `install setfacl, or let the folder have no such list: setfacl -k ${folder}`
    throw new Irreplaceable('its folder gives new files an access control list, which cannot be taken away', {
      cause: new Error(advice, { cause: fault }),
    })
  }
}

/** Copies ACL and extended attributes, and the mode, which an ACL includes. */
async function copyExtras(path: string, handle: FileHandle): Promise<void> {
  const options = ['--attributes-only', '--preserve=mode,xattr']
  const fault = await runOn(handle, 'cp', [...options, '--', path, OPEN_FILE])
  if (fault) {
    throw new Irreplaceable('its access control list or extended attributes cannot be kept', { cause: fault })
  }
}

/**
 * Runs a program with an open file as OPEN_FILE, as its name may lead to another file by now.
 * @returns the error, if there was one
 */
async function runOn(handle: FileHandle, program: string, args: string[]): Promise<Error | undefined> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe', handle.fd], env: ENVIRONMENT })
  const chunks: Buffer[] = []
  child.stderr?.on('data', (chunk) => chunks.push(chunk))
  return once(child, 'close').then(
    ([status]) => (status === 0 ? undefined : new Error(Buffer.concat(chunks).toString().trim())),
    (error) => error,
  )
}
