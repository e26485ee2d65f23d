/** Permissions as clients and the log meet them, over all resources and a cluster in YAML. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { createAuthorizer } from '../../lib/auth/authorize.ts'
import { parseUsers } from '../../lib/auth/users-file.ts'
import { configFileBackend } from '../../lib/backend/config-file/config-file-backend.ts'
import { createApp } from '../../lib/http/app.ts'
import type { Json } from '../../lib/json/json.ts'
import { resources } from '../../lib/resources/table.ts'
import { ask } from '../support/ask-app.ts'
import { fixture } from '../support/daemon-root.ts'
import { parseConfig } from '../support/read-cluster.ts'

const USERS = parseUsers(`
old-reader pw read
readonly pw @readonly
operator pw @operator
viewer pw cluster.info
nothing pw
`)

const config = parseConfig(readFileSync(fixture('cluster.yaml'), 'utf8'), { name: 'cluster.yaml' })
const backend = configFileBackend(() => config)

/** An application, with a function that asks it, and what it logs. */
function serve({ anonymousReads = true, requireAuthentication = false } = {}) {
  const logged: string[] = []
  const app = createApp({
    resources,
    backend: () => backend,
    authorizer: createAuthorizer({ users: () => USERS, anonymousReads, requireAuthentication }),
    logForbidden: (message) => logged.push(message),
  })
  const status = async (user: string | undefined, method: string, target: string, body?: Json) =>
    (await ask(app, user, method, target, { body })).status
  return { logged, status }
}

t.test('a query is no way around the permission of the console', async (t) => {
  const { status, logged } = serve()
  const QUERY = '/2/query/instance'
  for (const [method, target, body] of [
    ['GET', `${QUERY}?fields=name,console`, undefined],
    ['PUT', QUERY, { fields: ['name', 'console'] }],
    ['PUT', `${QUERY}?fields=console`, {}],
    ['PUT', QUERY, { fields: ['name'], qfilter: ['?', 'console'] }],
    ['PUT', QUERY, { fields: ['name'], qfilter: ['&', ['=', 'name', 'x'], ['!', ['=', 'console', 1]]] }],
    ['PUT', QUERY, { fields: ['name'], filter: ['|', ['?', 'console']] }],
  ] as const) {
    // Whoever may see it asks first, so that its answer is in the cache.
    for (const user of ['operator', 'old-reader'])
      t.not(await status(user, method, target, body), 403, target)
    t.equal(await status('readonly', method, target, body), 403, `${method} ${target}`)
    t.match(
      logged.at(-1),
      /^User readonly may not .*: needs query\.all and instances\.query\.console \(write or read\)$/,
    )
  }
  t.equal(await status('readonly', 'GET', `${QUERY}?fields=name`), 200)
  t.equal(await status('readonly', 'PUT', QUERY, { fields: ['name'], qfilter: ['=', 'os', 'console'] }), 200)
})

t.test('where reads are closed to strangers, permissions to read count', async (t) => {
  for (const options of [{ anonymousReads: false }, { requireAuthentication: true }]) {
    const { status, logged } = serve(options)
    const isRequired = 'requireAuthentication' in options
    // The first two put answers into the cache.
    t.equal(await status('viewer', 'GET', '/2/info'), 200)
    t.equal(await status('readonly', 'GET', '/2/nodes'), 200)
    t.equal(await status('viewer', 'GET', '/2/nodes'), 403)
    t.strictSame(logged, ['User viewer may not GET /2/nodes: needs nodes.list'])
    t.equal(await status('old-reader', 'GET', '/2/nodes'), 200)
    t.equal(await status('nothing', 'GET', '/2/nodes'), isRequired ? 200 : 403)
    t.equal(await status(undefined, 'GET', '/2/nodes'), 401)
    t.equal(await status(undefined, 'GET', '/2/info'), 401)
    for (const target of ['/', '/version', '/2', '/2/features']) {
      t.equal(await status(undefined, 'GET', target), isRequired ? 401 : 200, target)
      t.equal(await status('viewer', 'GET', target), 200, target)
    }
  }
  const { status } = serve()
  t.equal(await status('viewer', 'GET', '/2/nodes'), 200, 'what strangers may do, every user may')
})
