import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { asUser, findUser, userToBecome } from '../../lib/daemon/privileges.ts'
import { start } from './programs/run.ts'

const isRoot = process.getuid?.() === 0
const needsRoot = isRoot ? {} : { skip: 'only root can become someone else' }
const nobody = findUser('nobody')

t.test('users are found by name with their ids', (t) => {
  t.strictSame(findUser('root'), { name: 'root', uid: 0, gid: 0 })
  t.equal(findUser('no-such-user-here'), undefined)
  t.end()
})

t.test('without the user database nothing is assumed', (t) => {
  const path = process.env.PATH
  t.teardown(() => {
    process.env.PATH = path
  })
  process.env.PATH = t.testdir()
  t.throws(() => findUser('root'), { code: 'configuration', message: /look up the user 'root'/ })
  t.end()
})

t.test('only root becomes someone else', (t) => {
  t.strictSame(userToBecome('nobody'), isRoot ? nobody : undefined)
  t.equal(userToBecome('no-such-user-here'), undefined)
  t.end()
})

t.test('becoming a user takes its ids and groups and leaves no way back', needsRoot, async (t) => {
  const program = start('unprivileged', ['nobody'])
  const { user, uids, gids, groups, again } = JSON.parse(await program.stdout)
  const four = (id: number) => Array(4).fill(id).join(' ')
  t.equal(uids, four(user.uid))
  t.equal(gids, four(user.gid))
  t.equal(groups, String(user.gid))
  t.equal(again, 'refused')
})

t.test('what is done as a user has its rights only, and root is back afterwards', needsRoot, (t) => {
  if (!nobody) throw new Error('this system has no user nobody')
  // Not in the project's own folder, which that user may be unable to enter.
  const dir = mkdtempSync(join(tmpdir(), 'ganeti-rapi-test-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  chmodSync(dir, 0o711)
  writeFileSync(join(dir, 'secret'), 'for root', { mode: 0o600 })
  mkdirSync(join(dir, 'folder'))
  chmodSync(join(dir, 'folder'), 0o777)
  const groups = process.getgroups?.()

  const file = join(dir, 'folder', 'made')
  t.equal(
    asUser(nobody, () => {
      writeFileSync(file, '')
      return 'done'
    }),
    'done',
  )
  t.equal(statSync(file).uid, nobody.uid)
  t.equal(statSync(file).gid, nobody.gid)
  t.throws(() => asUser(nobody, () => readFileSync(join(dir, 'secret'))), { code: 'EACCES' })
  t.equal(readFileSync(join(dir, 'secret'), 'utf8'), 'for root')
  t.equal(process.geteuid?.(), 0)
  t.equal(process.getegid?.(), 0)
  t.strictSame(process.getgroups?.(), groups)
  t.end()
})

t.test('without a user it is done as whoever we are', (t) => {
  t.equal(
    asUser(undefined, () => process.geteuid?.()),
    process.geteuid?.(),
  )
  t.end()
})
