/** Becomes another user for good and tells who it is then. */
import { readFileSync } from 'node:fs'
import { becomeUser, findUser } from '../../../lib/daemon/privileges.ts'

const user = findUser(process.argv[2] ?? '')
if (!user) throw new Error('no such user')
becomeUser(user)
const status = readFileSync('/proc/self/status', 'utf8')
const line = (name: string) =>
  new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.trim().split(/\s+/).join(' ')
let again = 'refused'
try {
  process.setuid?.(0)
  again = 'root again'
} catch {}
console.log(JSON.stringify({ user, uids: line('Uid'), gids: line('Gid'), groups: line('Groups'), again }))
