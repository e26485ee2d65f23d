import t from 'tap'
import { createAuthorizer } from '../../lib/auth/authorize.ts'
import { PERMISSIONS, ROLES } from '../../lib/auth/permissions.ts'
import { parseUsers } from '../../lib/auth/users-file.ts'
import type { Backend } from '../../lib/backend/backend.ts'
import { createApp } from '../../lib/http/app.ts'
import { resources } from '../../lib/resources/table.ts'
import { ask } from '../support/ask-app.ts'

const USERS = `
reader   pw  read
writer   pw  write
operator pw  @operator
admin    pw  @admin,-jobs.cancel
plain    pw
team     pw  @readonly,instances.startup!tag=web,instances.startup!node=n1,@operator!group=a,jobs.cancel
some     pw  @operator!tag=x,jobs.cancel
`

/** Strangers may read all that @readonly may, but for what a right is needed for. */
const OPEN = ROLES.readonly.filter((name) => name !== 'query.all')

function asking(options: { requireAuthentication?: boolean; anonymousReads?: boolean } = {}) {
  const list = parseUsers(USERS)
  const app = createApp({
    resources,
    backend: () => ({ generation: 1 }) as Backend,
    authorizer: createAuthorizer({ users: () => list, requireAuthentication: false, ...options }),
  })
  return async (user?: string, password = 'pw') => {
    const authorization = user && `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    const { status, headers, json } = await ask(app, undefined, 'GET', '/2/whoami', {
      headers: { authorization },
    })
    const answer = json as unknown as {
      user: string | null
      permissions: string[]
      selectors: Record<string, string[]>
    }
    return { status, headers, ...answer }
  }
}

t.test('it tells user and permissions, of old words and of new ones', async (t) => {
  const ask = asking()
  const permissionsOf = async (user?: string) => [...(await ask(user)).permissions].sort()
  const sorted = (names: readonly string[]) => [...names].sort()
  t.match(await ask('reader'), { status: 200, user: 'reader' })
  t.strictSame(await permissionsOf('reader'), sorted([...ROLES.readonly, 'instances.query.console']))
  t.strictSame(await permissionsOf('writer'), sorted(PERMISSIONS))
  t.strictSame(await permissionsOf('operator'), sorted(ROLES.operator))
  t.notOk((await permissionsOf('admin')).includes('jobs.cancel'))
  t.strictSame(await permissionsOf('plain'), await permissionsOf(undefined))
})

t.test('strangers are told what is open to them', async (t) => {
  const { status, user, permissions } = await asking()()
  t.equal(status, 200)
  t.equal(user, null)
  for (const name of OPEN) t.ok(permissions.includes(name), name)
  t.notOk(permissions.includes('instances.startup'))
  t.strictSame((await asking({ anonymousReads: false })()).permissions, [])
  t.equal((await asking({ requireAuthentication: true })()).status, 401)
})

t.test('of permissions for some objects alone, it tells for which', async (t) => {
  const { permissions, selectors } = await asking({ anonymousReads: false })('team')
  t.strictSame(selectors['instances.startup'], ['tag=web', 'node=n1', 'group=a'])
  t.strictSame(selectors['instances.shutdown'], ['group=a'])
  for (const name of ['jobs.cancel', 'instances.list', 'cluster.info']) {
    t.ok(permissions.includes(name), name)
    t.notOk(Object.hasOwn(selectors, name), name)
  }
  const some = await asking({ requireAuthentication: true })('some')
  const ofAll = [
    'filter.list',
    'filter.query',
    'groups.list',
    'groups.query',
    'networks.list',
    'networks.query',
  ]
  const granted = [...ROLES.operator.filter((name) => !ofAll.includes(name)), 'jobs.cancel']
  t.strictSame([...some.permissions].sort(), granted.sort())
  t.strictSame(
    Object.keys(some.selectors).sort(),
    granted.filter((name) => !['cluster.info', 'os.list', 'jobs.cancel'].includes(name)),
  )
  t.strictSame((await asking()('writer')).selectors, {})
  t.strictSame((await asking()()).selectors, {})
})

t.test('a wrong password is refused, and no answer is kept', async (t) => {
  const ask = asking()
  t.equal((await ask('reader', 'wrong')).status, 401)
  t.equal((await ask('nobody')).status, 401)
  t.notOk((await ask('reader')).headers.includes('ETag'))
})
