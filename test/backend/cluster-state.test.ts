import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { createAuthorizer } from '../../lib/auth/authorize.ts'
import { parseUsers } from '../../lib/auth/users-file.ts'
import { type ClusterState, openClusterState } from '../../lib/backend/cluster-state.ts'
import { createApp } from '../../lib/http/app.ts'
import type { App } from '../../lib/http/message.ts'
import type { Json, JsonObject } from '../../lib/json/json.ts'
import { resources } from '../../lib/resources/table.ts'
import { MemoryLog } from '../support/memory-log.ts'

const never = new AbortController().signal

async function ask(app: App, method: string, target: string, body?: Json): Promise<Json> {
  const bytes = Buffer.from(body === undefined ? '' : JSON.stringify(body))
  const response = await app({
    method,
    target,
    headers: { authorization: `Basic ${btoa('writer:pw')}`, 'content-type': 'application/json' },
    network: '',
    bodyLength: bytes.length,
    id: 'r1',
    peer: '192.0.2.1:1',
    readBody: async () => bytes,
    signal: never,
    lost: never,
  })
  return JSON.parse(response.body.toString())
}

/** Waits for a job's end, and collects the generations that there were meanwhile, and after every turn. */
async function generationsOf(state: ClusterState, app: App, job: Json): Promise<Set<number | null>> {
  const seen = new Set<number | null>()
  for (let status = ''; status !== 'success'; ) {
    seen.add(state.backend.generation)
    const answer = (await ask(app, 'GET', `/2/jobs/${job}`)) as JsonObject
    status = String(answer.status)
    if (status === 'error') throw new Error(JSON.stringify(answer.opresult))
    await delay(1)
  }
  return seen.add(state.backend.generation)
}

t.test('a job leaves cached answers in place until the state changes, which it does once', async (t) => {
  const text = 'cluster: {name: c, job_time: 0.1}\nnodes: {n1: {}}\n'
  const path = join(t.testdir({ 'cluster.yaml': text }), 'cluster.yaml')
  const log = new MemoryLog()
  const state = await openClusterState({ kind: 'file', files: [path] }, undefined, log)
  t.teardown(() => state.close())
  await state.begin()
  const users = parseUsers('writer pw write\n')
  const authorizer = createAuthorizer({ users: () => users, requireAuthentication: false })
  const app = createApp({ resources, backend: () => state.backend, authorizer })
  const before = state.backend.generation as number

  const tagging = await ask(app, 'PUT', '/2/tags?tag=a&tag=b')
  t.strictSame([...(await generationsOf(state, app, tagging))], [before, before + 1])
  t.strictSame(await ask(app, 'GET', '/2/tags'), ['a', 'b'])

  const asking = await ask(app, 'GET', '/2/nodes/n1/storage?storage_type=lvm-pv&output_fields=name')
  t.strictSame([...(await generationsOf(state, app, asking))], [before + 1], 'it changes nothing')
  t.match(log.lines, [/^INFO Read /, /^INFO The cluster can be changed/], 'what was written is not read')
  t.equal(log.lines.length, 2)
})
