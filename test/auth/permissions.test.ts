/**
 * Who may do what, over the whole table of resources: expected from the facts
 * about Ganeti 3.0 and 3.2, for each kind of user and each way to start the daemon.
 */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { createAuthorizer } from '../../lib/auth/authorize.ts'
import { PERMISSIONS, ROLES } from '../../lib/auth/permissions.ts'
import { parseUsers } from '../../lib/auth/users-file.ts'
import { resources } from '../../lib/resources/table.ts'
import { fixture } from '../support/daemon-root.ts'

const facts = JSON.parse(readFileSync(fixture('permissions-3.2.json'), 'utf8')) as {
  readonly roles: { readonly [role: string]: readonly string[] }
  /** The permission of `GET /2/info`; null for what is public. */
  readonly methods: { readonly [method: string]: string | null }
  /** The rights of which 3.0 wants any one; null for what it does not have. */
  readonly methods_3_0_2: { readonly [method: string]: readonly string[] | null }
}

/** What is ours or RAPI 1.2's, by the permission of what says the same in RAPI 2. */
const OTHERS: { readonly [method: string]: string | null } = {
  'GET /info': 'cluster.info',
  'GET /instances': 'instances.list',
  'GET /instances/{instance_name}': 'instances.query',
  'GET /instances/{instance_name}/tags': 'tags.get',
  'GET /nodes': 'nodes.list',
  'GET /nodes/{node_name}': 'nodes.query',
  'GET /nodes/{node_name}/tags': 'tags.get',
  'GET /os': 'os.list',
  'GET /tags': 'tags.get',
  'GET /openapi.json': null,
  'GET /2/openapi.json': null,
  'GET /2/whoami': null,
  // By the types that are asked for: test/http/event-streams.test.ts.
  'GET /2/events': 'jobs.list',
}

const methods = resources.flatMap(({ path, methods }) =>
  Object.entries(methods).map(([name, method]) => [`${name} ${path}`, method] as const),
)

t.test('each method needs the permission that it needs in Ganeti 3.2', async (t) => {
  const expected = { ...facts.methods, ...OTHERS }
  t.strictSame(
    Object.fromEntries(methods.map(([name, { permissions }]) => [name, permissions[0] ?? null])),
    Object.fromEntries(methods.map(([name]) => [name, expected[name]])),
  )
  t.strictSame(Object.keys(expected).sort(), methods.map(([name]) => name).sort())
  for (const [name, { permissions }] of methods) t.ok(permissions.length <= 1, name)
})

t.test('the roles are those of Ganeti 3.2', async (t) => {
  t.strictSame(Object.keys(ROLES).sort(), Object.keys(facts.roles).sort())
  for (const [role, permissions] of Object.entries(ROLES)) {
    t.strictSame([...permissions].sort(), [...(facts.roles[role] ?? [])].sort(), role)
  }
})

/** A user's options, with the rights and permissions that they give by the facts. */
interface Kind {
  readonly options: string
  readonly rights?: readonly string[]
  readonly permissions?: readonly string[]
}

const { admin = [], operator = [], readonly = [] } = facts.roles
const KINDS: readonly Kind[] = [
  { options: '', rights: [] },
  { options: 'read', rights: ['read'] },
  { options: 'write', rights: ['write'] },
  { options: 'read,write', rights: ['read', 'write'] },
  { options: 'all', rights: ['read', 'write'] },
  { options: '@admin', permissions: admin },
  { options: '@operator', permissions: operator },
  { options: '@readonly', permissions: readonly },
  { options: 'write,-cluster.modify', permissions: admin.filter((one) => one !== 'cluster.modify') },
  { options: '@oprator', permissions: [] },
  ...PERMISSIONS.map((one) => ({ options: one, permissions: [one] })),
  ...PERMISSIONS.map((one) => ({
    options: `@admin,-${one}`,
    permissions: admin.filter((other) => other !== one),
  })),
]

const basic = (name: string) => `Basic ${Buffer.from(`${name}:pw`).toString('base64')}`

t.test('every kind of user may do what the facts say, and nothing else', async (t) => {
  const users = parseUsers(KINDS.map(({ options }, index) => `user${index} pw ${options}\n`).join(''))
  for (const requireAuthentication of [false, true]) {
    for (const anonymousReads of [true, false]) {
      const { authorize } = createAuthorizer({ users: () => users, requireAuthentication, anonymousReads })
      const wrong: string[] = []
      for (const [name, method] of methods) {
        const permission = { ...facts.methods, ...OTHERS }[name] ?? null
        // What 3.0 does not have is a change, or open like the rest of 1.2.
        const access = facts.methods_3_0_2[name] ?? (name in OTHERS ? [] : ['write'])
        const isPublic = permission === null && !requireAuthentication
        const isOpen = isPublic || (access.length === 0 && !requireAuthentication && anonymousReads)
        const check = async (who: string, header: string | undefined, expected: string) => {
          const { kind } = await authorize(header, method)
          if (kind !== expected) wrong.push(`${name} as ${who}: ${kind}, not ${expected}`)
        }
        await check('a stranger', undefined, isOpen ? 'granted' : 'unauthenticated')
        for (const [index, { options, rights, permissions }] of KINDS.entries()) {
          const may = permissions
            ? isOpen || permission === null || permissions.includes(permission)
            : access.some((right) => rights?.includes(right)) ||
              (access.length === 0 && (permission === null || anonymousReads || rights?.length !== 0))
          await check(options, basic(`user${index}`), may ? 'granted' : 'forbidden')
        }
      }
      t.strictSame(wrong, [], `required: ${requireAuthentication}, anonymous reads: ${anonymousReads}`)
    }
  }
})
