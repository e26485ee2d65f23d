/**
 * The whole application beside a real Ganeti 3.0.2: both have the same
 * cluster, and every GET recorded there is asked here. What differs has to
 * stand in the list of differences, and what stands there has to differ.
 *
 * Left out are jobs, which are no part of a config.data, and the texts that
 * document fields, which are our own. What the original answers to malformed
 * requests is compared in test/http/.
 */
import t from 'tap'
import { createAuthorizer } from '../../lib/auth/authorize.ts'
import { readUsers } from '../../lib/auth/users-file.ts'
import { configFileBackend } from '../../lib/backend/config-file/config-file-backend.ts'
import { createApp } from '../../lib/http/app.ts'
import type { App } from '../../lib/http/message.ts'
import { isJsonObject, parseJson } from '../../lib/json/json.ts'
import type { Config } from '../../lib/model/config.ts'
import { resources } from '../../lib/resources/table.ts'
import { type Answer, readRealCluster, realAnswers, realClusterFile } from '../support/real-cluster.ts'
import { compareAnswers } from './compare-json.ts'
import { DIFFERENCES } from './differences.ts'

const users = await readUsers(realClusterFile('users'))
const { running, unreachable } = await readRealCluster()
const targets = Object.keys(realAnswers)

/** What becomes of live values: null, in queries with the status for "no data", and of the status of an instance. */
const WITHOUT_WORD: readonly RegExp[] = [
  / (bootid|[dm](total|free)|mnode|c(total|nos|nodes|sockets)|sp(total|free)|oper_(ram|state|vcpus))( 1)?: \S+ -> null$/,
  / (bootid|[dm](total|free)|mnode|c(total|nos|nodes|sockets)|sp(total|free)|oper_(ram|state|vcpus)|console) 0: [03] -> 2$/,
  / status( 1)?: "\w+" -> "ERROR_nodedown"$/,
  / console 1: .* -> null$/,
  /\/console status: 200 .* -> 503 "Instance console unavailable"$/,
]

t.test('every answer is that of the original, or stands in the list of differences', async (t) => {
  const app = appOver(running)
  const uses = new Map(DIFFERENCES.map((one) => [one, 0]))
  let values = 0
  let differing = 0
  let equalAnswers = 0
  let listedAnswers = 0
  for (const target of targets) {
    const theirs = withoutDocs(realAnswers[target] as Answer)
    const { values: compared, differences } = compareAnswers(theirs, withoutDocs(await get(app, target)))
    values += compared
    differing += differences.length
    if (differences.length === 0) equalAnswers++
    else listedAnswers++
    for (const place of differences) {
      const line = `${target} ${place}`
      const listed = DIFFERENCES.filter(({ where }) => where.test(line))
      t.ok(listed.length > 0, line)
      for (const one of listed) uses.set(one, (uses.get(one) ?? 0) + 1)
    }
  }
  t.comment(
    `${equalAnswers} of ${targets.length} answers are equal, ${listedAnswers} differ as listed;`,
    `${values - differing} of ${values} values are equal`,
  )
  for (const [{ where, reason }, count] of uses) {
    t.comment(`${count} times: ${reason}`)
    t.ok(count > 0, `still a difference: ${where} (${reason})`)
  }
  t.ok(values > 15_000, 'there was something to compare')
})

t.test('without word from the nodes, the answers differ in live values alone', async (t) => {
  const app = appOver(running)
  const silentApp = appOver(unreachable)
  let differing = 0
  for (const target of targets) {
    const { differences } = compareAnswers(
      withoutDocs(await get(app, target)),
      withoutDocs(await get(silentApp, target)),
    )
    differing += differences.length
    for (const place of differences) {
      const line = `${target} ${place}`
      t.ok(
        WITHOUT_WORD.some((one) => one.test(line)),
        line,
      )
    }
  }
  t.ok(differing > 100, 'live values were there to go')
})

function appOver(config: Config): App {
  const backend = configFileBackend(() => config)
  return createApp({
    resources,
    backend: () => backend,
    authorizer: createAuthorizer({ users: () => users, requireAuthentication: false }),
  })
}

/** Asks with the rights that the original was asked with. */
async function get(app: App, target: string): Promise<Answer> {
  const credentials = credentialsFor(target)
  const { status, body } = await app({
    method: 'GET',
    target,
    headers: credentials === undefined ? {} : { authorization: `Basic ${btoa(credentials)}` },
    network: '192.0.2.1',
    bodyLength: 0,
    id: 'r1',
    peer: '192.0.2.1:1',
    readBody: async () => Buffer.alloc(0),
    signal: new AbortController().signal,
    lost: new AbortController().signal,
  })
  return { status, body: parseJson(body.toString()) }
}

function credentialsFor(target: string): string | undefined {
  const [, , collection, name, part] = target.replace(/\?.*/, '').split('/')
  if (collection === 'nodes' && part === 'storage') return 'writer:writer-pw'
  if (part === 'console' || (collection === 'query' && name !== undefined && part === undefined)) {
    return 'reader:reader-pw'
  }
  return undefined
}

/** An answer without the texts that document a query's fields. */
function withoutDocs({ status, body }: Answer): Answer {
  if (!isJsonObject(body) || !Array.isArray(body.fields)) return { status, body }
  return { status, body: { ...body, fields: body.fields.map(({ doc, ...rest }) => rest) } }
}
