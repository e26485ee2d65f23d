/**
 * Giving up root. Started as root, the daemon opens what only root may open
 * (key and port) and then becomes the user Ganeti made for it;
 * started as anyone else, it stays who it is.
 *
 * What is written later (log, pid file) must be that user's from the start, so
 * that the log can be reopened and the pid file removed. `asUser` makes it so,
 * and without root ever writing into folders that others may write to: a link
 * planted there leads no further than that user could go.
 */
import { spawnSync } from 'node:child_process'
import { Failure } from '../failure.ts'

export interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/**
 * Whom to become, if anyone.
 *
 * @param name the daemon's own user
 * @returns that user where we are root and it exists, else undefined
 * @throws Failure `configuration` where the user database cannot be asked: root must not be kept by accident
 */
export function userToBecome(name: string): User | undefined {
  return process.getuid?.() === 0 ? findUser(name) : undefined
}

/**
 * Finds a user in the system's database, wherever that is kept (files, LDAP, ...).
 *
 * @throws Failure `configuration` where the database cannot be asked
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

/**
 * Becomes another user for good, with that user's groups and no others.
 *
 * @throws Failure `configuration` where the system refuses; nothing may be served then
 */
export function becomeUser(user: User): void {
  try {
    takeGroupsOf(user)
    process.setgid?.(user.gid)
    process.setuid?.(user.uid)
  } catch (error) {
    throw new Failure('configuration', `cannot become the user '${user.name}'`, { cause: error })
  }
  if (
    process.getuid?.() !== user.uid ||
    process.geteuid?.() !== user.uid ||
    process.getegid?.() !== user.gid
  ) {
    throw new Failure('configuration', `still not the user '${user.name}' after becoming it`)
  }
}

/**
 * Does something as another user, and is root again afterwards.
 *
 * @param user whom to be; undefined to do it as whoever we are
 * @param action must have finished when it returns, as nothing asynchronous would run as that user
 * @returns what the action gives
 */
export function asUser<T>(user: User | undefined, action: () => T): T {
  if (!user) return action()
  const groups = process.getgroups?.() ?? []
  const gid = process.getegid?.() ?? 0
  const uid = process.geteuid?.() ?? 0
  try {
    takeGroupsOf(user)
    process.setegid?.(user.gid)
    process.seteuid?.(user.uid)
    return action()
  } finally {
    process.seteuid?.(uid)
    process.setegid?.(gid)
    process.setgroups?.(groups)
  }
}

function takeGroupsOf(user: User): void {
  // Known to Node, not to its type definitions.
  const { initgroups } = process as { initgroups?(user: string, gid: number): void }
  initgroups?.(user.name, user.gid)
}
