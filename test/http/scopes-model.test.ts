/**
 * Random users, objects and requests, with and without LUXI, against a plain model
 * of the rules of scopes: nothing outside of one is read or changed, and nothing
 * inside is refused.
 */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { createAuthorizer } from '../../lib/auth/authorize.ts'
import { ROLES } from '../../lib/auth/permissions.ts'
import { parseUsers } from '../../lib/auth/users-file.ts'
import type { Backend } from '../../lib/backend/backend.ts'
import { configFileBackend } from '../../lib/backend/config-file/config-file-backend.ts'
import { luxiBackend } from '../../lib/backend/luxi/luxi-backend.ts'
import { Failure } from '../../lib/failure.ts'
import { createApp } from '../../lib/http/app.ts'
import { type Json, type JsonObject, stringifyJson } from '../../lib/json/json.ts'
import type { Job } from '../../lib/model/job.ts'
import { resources } from '../../lib/resources/table.ts'
import { refuse, scriptedMaster } from '../backend/luxi/scripted-master.ts'
import { ask } from '../support/ask-app.ts'
import { fixture } from '../support/daemon-root.ts'
import { parseConfig } from '../support/read-cluster.ts'

const ROUNDS = 60
const REQUESTS = 60

const config = parseConfig(readFileSync(fixture('cluster.yaml'), 'utf8'), { name: 'cluster.yaml' })

/** A generator of numbers from 0 to 1 (mulberry32), so that a failing seed can be tried again. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

// The model.

interface Thing {
  readonly kind: 'instance' | 'network' | 'node'
  readonly name: string
  readonly tags: readonly string[]
  readonly node?: string
  readonly groups: readonly string[]
}

const groupOf = (uuid: string) => config.groups.byUuid.get(uuid)?.name as string
const nodes: Thing[] = config.nodes.all.map(({ name, tags, group }) => ({
  kind: 'node',
  name,
  tags,
  groups: [groupOf(group)],
}))
const instances: Thing[] = config.instances.all.map(({ name, tags, primary_node }) => {
  const node = config.nodes.byUuid.get(primary_node) as { name: string; group: string }
  return { kind: 'instance', name, tags, node: node.name, groups: [groupOf(node.group)] }
})
const networks: Thing[] = config.networks.all.map(({ name, tags, uuid }) => ({
  kind: 'network',
  name,
  tags,
  groups: config.groups.all.filter((group) => uuid in group.networks).map((group) => group.name),
}))
/** The instances that have a node as primary or secondary. */
const on = (node: string) =>
  instances.filter(({ name }) => {
    const { primary_node, secondary_nodes } = config.instances.byName.get(name) as never as {
      primary_node: string
      secondary_nodes: string[]
    }
    return [primary_node, ...secondary_nodes].some((uuid) => config.nodes.byUuid.get(uuid)?.name === node)
  })

/** An instance of which only the node is known. */
const anyOn = ({ name, groups }: Thing): Thing => ({
  kind: 'instance',
  name: '',
  tags: [],
  node: name,
  groups,
})

interface Word {
  readonly grants: readonly string[]
  readonly by?: { readonly kind: string; readonly value: string }
}

const asRegExp = (value: string, end: string) =>
  new RegExp(
    `^${value
      .split('*')
      .map((part) => part.replace(/[.+]/g, '[$&]'))
      .join('.*')}${end}$`,
  )

function matches({ kind, value }: NonNullable<Word['by']>, thing: Thing): boolean {
  const host = asRegExp(value, '([.].*)?')
  const plain = asRegExp(value, '')
  if (kind === 'tag') return thing.tags.some((tag) => plain.test(tag))
  if (kind === 'group') return thing.groups.some((group) => plain.test(group))
  if (kind === 'instance') return thing.kind === 'instance' && host.test(thing.name)
  return host.test((thing.kind === 'node' ? thing.name : thing.node) ?? '-')
}

class User {
  readonly #words: readonly Word[]

  constructor(words: readonly Word[]) {
    // A word that grants nothing that a selector limits is none that rights rest on.
    this.#words = words.filter(
      ({ grants, by }) => !by || !grants.every((one) => isWhole(one) || isForAll(one)),
    )
  }

  may(permission: string): boolean {
    return this.#words.some(({ grants, by }) => grants.includes(permission) && !(by && isWhole(permission)))
  }

  reaches(permission: string, thing: Thing): boolean {
    return this.#words.some(({ grants, by }) => grants.includes(permission) && (!by || matches(by, thing)))
  }

  isLimited(permission: string): boolean {
    return !this.#words.some(({ grants, by }) => grants.includes(permission) && !by)
  }

  sees(thing: Thing): boolean {
    return ['list', 'query'].some((what) => this.reaches(`${thing.kind}s.${what}`, thing))
  }

  /** Whether there is nothing that may be done with another thing but not with one. */
  hasNoMore(one: Thing, other: Thing): boolean {
    return PERMISSIONS.filter((name) => !isWhole(name) && !isForAll(name)).every(
      (name) => this.reaches(name, one) || !this.reaches(name, other),
    )
  }

  /** Whether no selector of a kind selects one but not the other. */
  same(kind: string, one: Thing, other: Thing): boolean {
    return this.#words.every(({ by }) => by?.kind !== kind || matches(by, one) === matches(by, other))
  }
}

const isWhole = (permission: string) =>
  /^(cluster|filter|groups|networks)/.test(permission) && permission !== 'cluster.info'

const isForAll = (permission: string) => ['cluster.info', 'os.list'].includes(permission)

// What is random.

const PERMISSIONS: readonly string[] = ROLES.admin
const VALUES: { readonly [kind in string]: readonly string[] } = {
  tag: ['mail', 'tag1', 'backup:*', '*a*', 'rack-a', 'nothing', 'public'],
  instance: ['web', 'w*', 'mail.example.com', 'd*.example.com', '*', 'new*', 'r'],
  node: ['node1', 'node2.example.com', 'node*', 'node4', '*5*'],
  group: ['default', 'branch', 'b*', 'none'],
}

function makeWords(random: () => number): { text: string; words: Word[] } {
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T
  const texts: string[] = []
  const words: Word[] = []
  for (let count = 1 + Math.floor(random() * 3); count > 0; count--) {
    const isRole = random() < 0.6
    const name = isRole ? pick(['admin', 'operator', 'readonly'] as const) : pick(PERMISSIONS)
    const grants = isRole ? ROLES[name as 'admin'] : [name]
    if (random() < 0.12) {
      texts.push(isRole ? `@${name}` : name)
      words.push({ grants })
      continue
    }
    const kind = pick(Object.keys(VALUES))
    const value = pick(VALUES[kind] as readonly string[])
    texts.push(`${isRole ? `@${name}` : name}!${kind}=${value}`)
    words.push({ grants, by: { kind, value } })
  }
  return { text: texts.join(','), words }
}

/** Jobs that are there, by users and from elsewhere, and what is submitted. */
class FakeQueue {
  readonly jobs: Job[] = []
  readonly locks = []

  job(id: string): Job | undefined {
    return this.jobs.find((job) => String(job.id) === id)
  }

  async submit(opcodes: readonly JsonObject[]): Promise<number> {
    const id = this.jobs.length + 1
    const ops = opcodes.map((input) => ({
      ...{ input, status: 'queued' as const, result: null, log: [], priority: 0 },
      ...{ start: null, exec: null, end: null },
    }))
    this.jobs.push({ id, ops, received: [0, 0], start: null, end: null })
    return id
  }

  async cancel(id: string): Promise<readonly [boolean, string]> {
    return [true, `Job ${id} canceled`]
  }
}

/** What a master daemon would answer that knows what a backend knows. */
async function masterOf(t: Test, backend: Backend) {
  const read: { kind: string; name: string }[] = []
  const list = (value: Json | undefined) => (Array.isArray(value) ? value.map(String) : [])
  const note = (kind: string, fields: readonly string[], rows: readonly (readonly Json[])[]) => {
    const place = fields.indexOf('name')
    if (place >= 0) for (const row of rows) read.push({ kind, name: String(row[place]) })
  }
  const rowsOf =
    (ask: Backend['queryInstances'], kind: string) =>
    async ([names, fields]: readonly Json[]): Promise<Json> => {
      const rows = await ask.call(backend, list(names), list(fields))
      note(kind, list(fields), rows)
      return rows as Json
    }
  const calls: { readonly [method: string]: (args: readonly Json[]) => Promise<Json> } = {
    QueryClusterInfo: async () => backend.queryClusterInfo(),
    QueryInstances: rowsOf(backend.queryInstances, 'instance'),
    QueryNodes: rowsOf(backend.queryNodes, 'node'),
    QueryGroups: rowsOf(backend.queryGroups, 'group'),
    QueryNetworks: rowsOf(backend.queryNetworks, 'network'),
    QueryTags: async ([kind, name]) => (await backend.queryTags(kind as 'node', String(name))) as Json,
    QueryJobs: async ([ids, fields]) => {
      const rows = (await backend.queryJobs(list(ids), list(fields))) as Json[][]
      return rows
        .map((row) => row.map((value) => [0, value]))
        .map((row) => row.map(([, value]) => value ?? null))
    },
    Query: async ([what, fields, filter]) => {
      const result = await backend.query(String(what), list(fields), filter ?? null)
      const data = [...result.data]
      note(
        String(what),
        list(fields),
        data.map((cells) => cells.map(([, value]) => value)),
      )
      return { fields: result.fields, data } as never as Json
    },
    QueryFields: async ([what, fields]) =>
      ({
        fields: await backend.queryFields(String(what), fields === null ? null : list(fields)),
      }) as never as Json,
    SubmitJob: async ([opcodes]) => backend.submitJob(opcodes as never),
    CancelJob: async ([id]) => (await backend.cancelJob(String(id))) as Json,
  }
  const master = await scriptedMaster(t, async ({ method, args }) => {
    try {
      return await (calls[method] as (args: readonly Json[]) => Promise<Json>)(args)
    } catch (error) {
      if (error instanceof Failure)
        refuse([
          'OpPrereqError',
          [error.message, error.code === 'not-found' ? 'unknown_entity' : 'wrong_input'],
        ])
      throw error
    }
  })
  const luxi = luxiBackend([master.path])
  t.teardown(() => luxi.close())
  return { luxi, read }
}

/** A request with what the model says of it. */
interface Expected {
  readonly method: string
  readonly target: string
  readonly body?: Json
  readonly permission: string
  /** The object in the path. */
  readonly thing?: Thing
  /** Whether it may be done, if the object in the path is reached; without one, whether it may be done. */
  readonly isAllowed: boolean
}

function makeChange(user: User, random: () => number): Expected {
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T
  const instance = pick(instances)
  const [node, other] = [pick(nodes), pick(nodes)]
  const network = pick(networks)
  const tag = pick(['mail', 'backup:daily', 'tag1', 'fresh', 'rack-a'])
  const path = (thing: Thing, rest = '') =>
    `/2/${thing.kind}s/${random() < 0.3 ? thing.name.split('.')[0] : thing.name}${rest}`
  const hasAll = (permission: string) => on(node.name).every((one) => user.reaches(permission, one))
  const isNew = (thing: Thing) => user.reaches('instances.create', thing)
  const kinds: (() => Expected)[] = [
    () => ({
      ...{ method: 'PUT', target: path(instance, '/startup'), thing: instance },
      ...{ permission: 'instances.startup', isAllowed: true },
    }),
    () => ({
      ...{ method: 'DELETE', target: path(instance), thing: instance },
      ...{ permission: 'instances.remove', isAllowed: true },
    }),
    () => ({
      ...{ method: 'PUT', target: path(instance, '/failover'), thing: instance },
      ...{ body: { target_node: node.name }, permission: 'instances.failover' },
      isAllowed:
        user.reaches('instances.failover', node) &&
        user.hasNoMore(instance, { ...instance, node: node.name, groups: node.groups }),
    }),
    () => ({
      ...{ method: 'PUT', target: path(instance, '/modify'), thing: instance },
      ...{ body: { nics: [['add', -1, { network: network.name }]] }, permission: 'instances.modify' },
      isAllowed: user.reaches('instances.modify', network),
    }),
    () => ({
      ...{ method: 'PUT', target: path(instance, '/modify'), thing: instance },
      ...{ body: { hvparams: { kernel_path: '/etc/shadow' } }, permission: 'instances.modify' },
      isAllowed: !user.isLimited('instances.modify'),
    }),
    () => ({
      ...{ method: 'PUT', target: `${path(instance, '/tags')}?tag=${tag}`, thing: instance },
      permission: 'tags.set',
      isAllowed:
        !user.isLimited('tags.set') ||
        user.same('tag', instance, { ...instance, tags: [...instance.tags, tag] }),
    }),
    () => ({
      ...{ method: 'DELETE', target: `${path(instance, '/tags')}?tag=${tag}`, thing: instance },
      permission: 'tags.delete',
      isAllowed:
        !user.isLimited('tags.delete') ||
        user.same('tag', instance, { ...instance, tags: instance.tags.filter((one) => one !== tag) }),
    }),
    () => {
      const new_name = pick(['web9.example.com', 'new1.example.com', 'other', 'd.example.com'])
      return {
        ...{ method: 'PUT', target: path(instance, '/rename'), thing: instance },
        ...{ body: { new_name, name_check: false, ip_check: false }, permission: 'instances.rename' },
        isAllowed:
          !user.isLimited('instances.rename') ||
          user.same('instance', instance, { ...instance, name: new_name }),
      }
    },
    () => {
      const name = pick(['new1.example.com', 'web7.example.com', 'other.example.com'])
      const tags = random() < 0.5 ? [tag] : []
      const named = random() < 0.5 ? { pnode: node.name } : {}
      const place = 'pnode' in named ? { node: node.name, groups: node.groups } : { groups: [] }
      return {
        ...{ method: 'POST', target: '/2/instances', permission: 'instances.create' },
        body: {
          ...{
            __version__: 1,
            mode: 'create',
            instance_name: name,
            os_type: 'debian',
            disk_template: 'diskless',
          },
          ...{ disks: [], nics: [], tags, name_check: false, ip_check: false, ...named },
        },
        isAllowed:
          isNew({ kind: 'instance', name, tags, ...place }) &&
          (!('pnode' in named) || user.reaches('instances.create', node)),
      }
    },
    () => ({
      ...{ method: 'PUT', target: path(node, '/role'), thing: node, body: 'regular' },
      ...{ permission: 'nodes.role.modify', isAllowed: hasAll('nodes.role.modify') },
    }),
    () => ({
      ...{ method: 'POST', target: path(node, '/evacuate'), thing: node },
      ...{ body: { mode: 'all', remote_node: other.name }, permission: 'nodes.evacuate' },
      isAllowed:
        hasAll('nodes.evacuate') &&
        user.reaches('nodes.evacuate', other) &&
        user.hasNoMore(anyOn(node), anyOn(other)),
    }),
    () => ({
      ...{
        method: 'PUT',
        target: '/2/modify',
        body: { candidate_pool_size: 3 },
        permission: 'cluster.modify',
      },
      isAllowed: true,
    }),
    () => ({
      ...{ method: 'PUT', target: '/2/groups/default/tags?tag=x', permission: 'tags.set' },
      isAllowed: !user.isLimited('tags.set'),
    }),
  ]
  return pick(kinds)()
}

for (const kind of ['a file', 'LUXI']) {
  t.test(`scopes hold over ${kind}`, async (t) => {
    const queue = new FakeQueue()
    await queue.submit([{ OP_ID: 'OP_CLUSTER_VERIFY' }])
    for (const { name } of instances)
      await queue.submit([{ OP_ID: 'OP_INSTANCE_STARTUP', instance_name: name }])
    for (const { name } of nodes) await queue.submit([{ OP_ID: 'OP_NODE_POWERCYCLE', node_name: name }])
    await queue.submit([
      { OP_ID: 'OP_INSTANCE_MIGRATE', instance_name: 'web.example.com', target_node: 'node2.example.com' },
    ])
    const file = configFileBackend(() => config, queue as never)
    const { luxi, read } = await masterOf(t, file)
    const backend = kind === 'LUXI' ? luxi : file
    const before = queue.jobs.length

    for (let round = 0; round < ROUNDS; round++) {
      const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
      const random = randomFrom(seed)
      const { text, words } = makeWords(random)
      const name = `user${round}`
      const list = parseUsers(`${name} pw ${text}`)
      const user = new User(words)
      const app = createApp({
        resources,
        backend: () => backend,
        authorizer: createAuthorizer({ users: () => list, requireAuthentication: true }),
      })
      const about = (what: string) => `SEED=${seed} ${text}: ${what}`
      const areIn = (permission: string, things: readonly Thing[]) =>
        things.filter((thing) => user.reaches(permission, thing)).map((thing) => thing.name)
      const asked = async (method: string, target: string, body?: Json) =>
        ask(app, name, method, target, { body })
      const namesIn = (json: Json) => (json as JsonObject[]).map(({ id, name }) => String(id ?? name)).sort()
      const isFull = !words.every(({ by }) => by)
      read.length = 0

      // Reads.
      for (const [target, permission, things] of [
        ['/2/instances', 'instances.list', instances],
        ['/2/instances?bulk=1', 'instances.list', instances],
        ['/instances', 'instances.list', instances],
        ['/2/nodes', 'nodes.list', nodes],
        ['/nodes?bulk=1', 'nodes.list', nodes],
      ] as const) {
        const { status, json } = await asked('GET', target)
        t.equal(status, user.may(permission) ? 200 : 403, about(target))
        if (status === 200) t.strictSame(namesIn(json), areIn(permission, things).sort(), about(target))
      }
      const bulk = await asked('GET', '/2/nodes?bulk=1')
      if (bulk.status === 200) {
        for (const { name, pinst_list } of bulk.json as JsonObject[]) {
          const real = instances.filter((one) => one.node === name)
          t.strictSame(
            [...(pinst_list as string[])].sort(),
            areIn('nodes.list', real).sort(),
            about('pinst_list'),
          )
        }
      }
      for (const thing of [...instances, ...nodes]) {
        for (const [rest, permission] of [
          ['', `${thing.kind}s.query`],
          ['/tags', 'tags.get'],
        ] as const) {
          const { status } = await asked('GET', `/2/${thing.kind}s/${thing.name}${rest}`)
          const expected = user.reaches(permission, thing)
            ? 200
            : user.may(permission) && !user.sees(thing)
              ? 404
              : 403
          t.equal(status, expected, about(`${thing.name}${rest}`))
        }
      }
      for (const filter of [
        null,
        ['=~', 'name', 'e'],
        ['!', ['=[]', 'tags', 'mail']],
        ['|', ['=*', 'name', 'm*'], ['=', 'name', 'web.example.com']],
      ] as Json[]) {
        for (const [what, things] of [
          ['instance', instances],
          ['node', nodes],
        ] as const) {
          const { status, json } = await asked('PUT', `/2/query/${what}`, {
            fields: ['name'],
            qfilter: filter,
          })
          t.equal(status, user.may('query.all') ? 200 : 403, about('query'))
          if (status !== 200) continue
          const plain = [...(await file.query(what, ['name'], filter)).data].map(([cell]) => cell?.[1])
          const found = (json as { data: Json[][][] }).data.map(([cell]) => cell?.[1])
          t.strictSame(
            found,
            plain.filter((one) => areIn('query.all', things).includes(String(one))),
            about('query'),
          )
        }
      }
      const { status, json } = await asked('GET', '/2/jobs')
      t.equal(status, user.may('jobs.list') ? 200 : 403, about('jobs'))
      if (status === 200 && user.isLimited('jobs.list')) {
        const expected = queue.jobs.filter(({ ops }) =>
          ops.every(({ input }) => {
            if (stringifyJson(input.reason ?? null).includes(`"user=${name};`)) return true
            const named = [...instances, ...nodes].filter((one) =>
              [input.instance_name, input.node_name, input.target_node].includes(one.name),
            )
            const isNew = input.OP_ID === 'OP_INSTANCE_CREATE' || input.OP_ID === 'OP_CLUSTER_VERIFY'
            return !isNew && named.length > 0 && named.every((one) => user.reaches('jobs.list', one))
          }),
        )
        const shown = (json as JsonObject[]).map(({ id }) => Number(id)).filter((id) => id <= before)
        t.strictSame(
          shown,
          expected.map(({ id }) => id).filter((id) => id <= before),
          about('jobs'),
        )
      }

      // Changes.
      for (let count = 0; count < REQUESTS; count++) {
        const expected = makeChange(user, random)
        const { method, target, body, permission, thing, isAllowed } = expected
        const jobs = queue.jobs.length
        const answer = await asked(method, target, body)
        const isReached = !thing || user.reaches(permission, thing)
        const isGranted = user.may(permission)
        const isFree = isGranted && !user.isLimited(permission)
        const status =
          isFree || (isGranted && isReached && isAllowed)
            ? 200
            : isGranted && thing && !isReached && !user.sees(thing)
              ? 404
              : 403
        const what = `${method} ${target} ${JSON.stringify(body ?? null)} ${JSON.stringify(answer.json)}`
        t.equal(answer.status, status, about(what))
        t.equal(queue.jobs.length - jobs, answer.status === 200 ? 1 : 0, about(what))
      }
      if (kind === 'LUXI' && !isFull) {
        const all = [...instances, ...nodes]
        const outside = read.filter(({ kind, name }) => {
          const thing = all.find((one) => one.kind === kind && one.name === name)
          return thing && !words.some(({ by }) => by && matches(by, thing))
        })
        t.strictSame(outside, [], about('read from the master daemon'))
      }
    }
  })
}
