/**
 * What a file is besides its text: owner, group, mode, access control list
 * (ACL), extended attributes. A file that takes another's place gets them, and
 * never rights that the other did not give.
 *
 * Node has no calls for ACLs and extended attributes. tar(1), which puts them
 * into its headers, tells whether there are any; only where there are, cp(1)
 * copies them, as that takes a process for every replacement. Both are part of
 * every Debian. An ACL that the folder gives to new files is taken away by
 * setfacl(1), by which the folder got it: not every version of cp copies that
 * there is none. Labels of SELinux are left to its policy.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Stats } from 'node:fs'
import { type FileHandle, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The file cannot be replaced. The message says why, to clients too, and the cause what only the log may tell. */
export class Irreplaceable extends Error {
  override readonly name = 'Irreplaceable'
}

/** ACLs and extended attributes, where a file is to be replaced by a new one. */
export interface Extras {
  /** Whether the old one has any; unknown where there is no tar that knows of them. */
  readonly own: 'none' | 'some' | 'unknown'
  /** Whether the new one has been given some by its folder. */
  readonly inherited: boolean
}

/** How Linux shows an owner or group that the user namespace has no number for. */
const HIDDEN_ID = 65534

const BLOCK = 512
/** Where a header of tar has the size of what follows, in octal digits, and its kind. */
const SIZE = [124, 136] as const
const KIND = 156
/** The kind of a header with more about the next file: `30 mtime=...` and the like, a line each. */
const EXTENDED = 'x'
const EXTRA = / SCHILY\.(?:acl\.|xattr\.(?!security\.selinux=))/

/** What programs that are run here know the new file as. */
const OPEN_FILE = '/proc/self/fd/3'

/** Neither options nor language of a user's. */
const ENVIRONMENT = { PATH: process.env.PATH, LC_ALL: 'C' }

/**
 * @param fresh the new file, still empty
 * @param old the file that it is to replace
 * @throws the error of the system where tar(1) is there and cannot be run
 */
export async function findExtras(fresh: string, old: string): Promise<Extras> {
  const [inherited, own] = await whichHaveExtras([fresh, old])
  if (inherited === undefined || own === undefined) return { own: 'unknown', inherited: false }
  return { own: own ? 'some' : 'none', inherited }
}

/** @returns an answer for each of a few files, as far as they could be looked at; they are not read to their ends */
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
  // Without a process there is no output either.
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
 * Gives a new file, open and so far for its owner alone, what another file is besides its text.
 *
 * A group that we cannot give (it is not ours, or hidden from us) is replaced by the one that the new file
 * has; then whoever is not its owner gets the rights that both group and others had. So it is done too where
 * it is unknown whether there is an ACL, as the group's rights may be other people's then.
 *
 * @returns whether everybody has the rights that they had; if not, some have fewer
 * @throws Irreplaceable where its owner, its ACL or its extended attributes cannot be kept; and whatever the
 *   file system has to say
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
  // Two groups that are hidden look alike.
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

/** Whoever is in the old group or the new one may be among the others by now, or have been. */
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

/** Copies the mode as well, of which an ACL is part. */
async function copyExtras(path: string, handle: FileHandle): Promise<void> {
  const options = ['--attributes-only', '--preserve=mode,xattr']
  const fault = await runOn(handle, 'cp', [...options, '--', path, OPEN_FILE])
  if (fault) {
    throw new Irreplaceable('its access control list or extended attributes cannot be kept', { cause: fault })
  }
}

/**
 * Runs a program that finds an open file as OPEN_FILE: its name may lead elsewhere by now.
 * @returns what went wrong, if anything did
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
