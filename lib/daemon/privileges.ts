/**
 * Dropping privileges (least privilege). Started as root, the daemon serves from
 * a copy of itself that runs as Ganeti's user for it from the beginning; started
 * as another user, it keeps that user. So root opens, writes and parses nothing
 * while the daemon serves.
 *
 * The copy is started by setpriv(1), since many versions of Node refuse to
 * change users themselves (CVE-2024-22017).
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { Failure } from '../failure.ts'

export interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** From this port on, any user may listen. */
const FIRST_FREE_PORT = '/proc/sys/net/ipv4/ip_unprivileged_port_start'

/**
 * The user to switch to, if any.
 *
 * @param name the daemon's own user
 * @returns that user if we are root and it exists, otherwise undefined
 * @throws Failure `configuration` if the user database cannot be queried: root must not be kept by accident
 */
export function userToBecome(name: string): User | undefined {
  return process.getuid?.() === 0 ? findUser(name) : undefined
}

/**
 * Finds a user in the system's database (files, LDAP, ...).
 *
 * @throws Failure `configuration` if the database cannot be queried
 */
export function findUser(name: string): User | undefined {
  const { error, status, stdout } = spawnSync('getent', ['passwd', name], { encoding: 'utf8' })
  // getent(1): 2 means that the key was not found.
  if (status === 2) return undefined
  const [, , uid, gid] = stdout?.split(':') ?? []
  if (error || status !== 0 || !uid || !gid) {
    throw new Failure('configuration', `cannot look up the user '${name}' with getent`, { cause: error })
  }
  return { name, uid: Number(uid), gid: Number(gid) }
}

/** A program and its arguments. */
export type Command = readonly [string, ...string[]]

/**
 * Makes a command that runs another one as a user: with only that user's groups,
 * without capabilities or a way to gain them, except for listening on `port` if
 * only root may do that.
 *
 * @param script a file that the user must be able to read for that
 * @throws Failure `configuration` if a trial fails: the system refuses, or the user may not read the script
 */
export function commandAs(user: User, command: Command, script: string, port: number): Command {
  const capabilities = isForRoot(port) ? '-all,+net_bind_service' : '-all'
  const become: Command = [
    'setpriv',
    `--reuid=${user.name}`,
    `--regid=${user.gid}`,
    '--init-groups',
    `--inh-caps=${capabilities}`,
    `--ambient-caps=${capabilities}`,
    '--no-new-privs',
    '--',
  ]
  tryToRead(user, become, script)
  return [...become, ...command]
}

function isForRoot(port: number): boolean {
  let first = 1024
  try {
    first = Number(readFileSync(FIRST_FREE_PORT, 'utf8'))
  } catch {
    // Another system than Linux, or a sandbox that hides it.
  }
  return port > 0 && port < first
}

function tryToRead(user: User, [program, ...args]: Command, script: string): void {
  const { error, status, stderr } = spawnSync(program, [...args, 'test', '-r', script], { encoding: 'utf8' })
  if (status === 0) return
  const problem = `cannot become the user '${user.name}' with setpriv`
  if (error) throw new Failure('configuration', `${problem}, of util-linux`, { cause: error })
  const [line] = stderr.trim().split('\n')
  throw new Failure('configuration', `${problem}: ${line || `it may not read '${script}'`}`)
}

/** The name of this process's user, or its id if it has no name. */
export function ownName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.geteuid?.())
  }
}
