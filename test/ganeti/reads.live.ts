/**
 * Every GET of the API, asked of both daemons at the same moment, for every
 * object of the cluster. What differs has to stand in the list of differences.
 */
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { QueryResource } from '../../lib/backend/backend.ts'
import { isJsonObject, type Json } from '../../lib/json/json.ts'
import { resources } from '../../lib/resources/table.ts'
import { compareAnswers } from '../differential/compare-json.ts'
import { LIVE_DIFFERENCES, MOVING } from './differences.ts'
import { inParallel, whilePaused } from './paused.ts'
import { type Asking, ask, ended, jobOf, keepJobsOnTheMaster, ORIGINAL, OURS, timeless } from './sides.ts'

t.setTimeout(600_000)

/** What differs three times over does so in earnest: values of nodes move between two readings. */
const TRIES = 3

const names = async (target: string, key: string): Promise<string[]> => {
  const { body } = await ask(ORIGINAL, target)
  return (body as { [key: string]: Json }[]).map((one) => String(one[key]))
}

const instances = await names('/2/instances', 'id')
const nodes = await names('/2/nodes', 'id')
const groups = await names('/2/groups', 'name')
const networks = await names('/2/networks', 'name')
const filters = await names('/2/filters', 'uuid')
const jobs = await names('/2/jobs', 'id')

const QUERIED: readonly (QueryResource | 'bogus')[] = [
  'bogus',
  'cluster',
  'export',
  'extstorage',
  'filter',
  'group',
  'instance',
  'job',
  'lock',
  'network',
  'node',
  'os',
]

/** The names to put in the braces of a path: all there are, a short one, and one that there is not. */
const VALUES: { readonly [name: string]: readonly string[] } = {
  instance_name: [...instances, 'inst1', 'nosuch.example.com'],
  node_name: [...nodes, 'node1', 'nosuch.example.com'],
  group_name: [...groups, 'nosuch'],
  network_name: [...networks, 'nosuch'],
  filter_uuid: [...filters, '00000000-0000-0000-0000-000000000000'],
  job_id: [...jobs, '99999'],
  resource: QUERIED,
}

/** What to ask for at a path besides the plain thing. */
async function queriesAt(path: string): Promise<readonly string[]> {
  if (/^\/2\/(instances|nodes|groups|networks|filters|jobs|os)$/.test(path)) {
    // In 3.0 /2/os has no `bulk`.
    return path === '/2/os' ? [''] : ['', '?bulk=1', '?bulk=0']
  }
  if (path === '/2/nodes/node1.example.com') return ['', '?lock=1']
  if (path.endsWith('/info') && path !== '/2/info') return ['', '?static=1']
  if (path.endsWith('/storage')) {
    const all = 'output_fields=node,type,name,size,used,free,allocatable'
    const types = ['file', 'sharedfile', 'lvm-vg', 'lvm-pv', 'diskless', 'gluster', 'bogus']
    return ['', ...types.map((type) => `?storage_type=${type}&${all}`), '?output_fields=name,bogus']
  }
  const [, what] = /^\/2\/query\/(\w+)(\/fields)?$/.exec(path) ?? []
  if (what !== undefined && path.endsWith('/fields')) return ['', '?fields=name,uuid,bogus']
  if (what !== undefined)
    return ['', '?fields=', '?fields=name,bogus', '?fields=name,%20uuid%20', ...(await all(what))]
  return ['']
}

/** A query for all fields that a kind of object has. */
async function all(what: string): Promise<string[]> {
  const { status, body } = await ask(ORIGINAL, `/2/query/${what}/fields`)
  if (status !== 200 || !isJsonObject(body)) return []
  const fields = (body.fields as { name: string }[]).map(({ name }) => name)
  // A request's first line may have 8192 bytes.
  const parts: string[] = []
  while (fields.length > 0) parts.push(`?fields=name,${fields.splice(0, 150).join(',')}`)
  return parts
}

/**
 * Every target of a GET, but for jobs and waits, whose answers are compared below, and answers that go on, which the
 * original does not have.
 */
async function targets(): Promise<string[]> {
  const found: string[] = []
  for (const { path, methods } of resources) {
    if (!methods.GET || methods.GET.follows || path.endsWith('/wait')) continue
    const name = /\{(\w+)\}/.exec(path)?.[1]
    for (const value of name === undefined ? [''] : (VALUES[name] ?? [])) {
      const filled = name === undefined ? path : path.replace(`{${name}}`, value)
      found.push(...(await queriesAt(filled)).map((query) => filled + query))
    }
  }
  return found
}

/** Version 1.2, which only ours speaks. */
const isOld = (target: string) => !/^\/(2\b.*|version|)$/.test(target)
/** Answered with the id of a job. */
const isJob = (target: string) => /^\/2\/(nodes\/.*\/storage|instances\/.*\/info)/.test(target)
/** A few objects of a kind are enough where each costs a job on a node. */
const isOneTooMany = (target: string) =>
  isJob(target) && !/\/(node1|inst(1|2|3|11)|nosuch)(\.example\.com)?\//.test(target)
const allTargets = (await targets()).filter((target) => !isOneTooMany(target))
const uses = new Map(LIVE_DIFFERENCES.map((one) => [one, 0]))

/** Who may do it, and without whom it is refused. */
function rightsFor(target: string): Asking {
  if (/\/storage/.test(target)) return { user: 'writer' }
  if (/\/console$|^\/2\/query\/\w+(\?|$)/.test(target)) return { user: 'reader' }
  return {}
}

/** The lines in which the two differ, and how many values were compared. */
async function compare(target: string, asking: Asking) {
  for (let tries = 1; ; tries++) {
    const [theirs, ours] = await Promise.all([ask(ORIGINAL, target, asking), ask(OURS, target, asking)])
    const { values, differences } = compareAnswers(theirs, ours)
    const lines = differences.map((difference) => `${target} ${difference}`)
    const unexpected = lines.filter(
      (line) => !MOVING.test(line) && !LIVE_DIFFERENCES.some(({ where }) => where.test(line)),
    )
    if (unexpected.length === 0 || tries === TRIES) return { values, lines, unexpected }
    await delay(100)
  }
}

t.test('every GET is answered as by the original', async (t) => {
  const compared = allTargets.filter((target) => !isOld(target) && !isJob(target))
  let equal = 0
  let values = 0
  for (const target of compared) {
    const { values: looked, lines, unexpected } = await compare(target, rightsFor(target))
    t.same(unexpected, [], target)
    values += looked
    if (lines.length === 0) equal++
    for (const line of lines) {
      for (const one of LIVE_DIFFERENCES) if (one.where.test(line)) uses.set(one, (uses.get(one) ?? 0) + 1)
    }
  }
  t.comment(`${equal} of ${compared.length} GETs are equal, the others differ as listed; ${values} values`)
  t.ok(compared.length > 200, 'there was something to compare')
})

t.test('a GET that is answered with the id of a job submits the same job', async (t) => {
  await keepJobsOnTheMaster()
  const compared = allTargets.filter(isJob)
  let equal = 0
  await whilePaused(() =>
    inParallel(compared, async (target) => {
      const [theirs, ours] = [
        await ask(ORIGINAL, target, rightsFor(target)),
        await ask(OURS, target, rightsFor(target)),
      ]
      t.equal(ours.status, theirs.status, target)
      const isSubmitted = theirs.status === 200 && ours.status === 200
      const [their, our] = isSubmitted
        ? [(await jobOf(theirs.body)).ops, (await jobOf(ours.body)).ops]
        : [theirs.body, ours.body]
      if (t.same(our, their, target)) equal++
    }),
  )
  t.comment(`${equal} of ${compared.length} GETs that submit a job are equal, down to its opcode`)
})

t.test('the result of such a job is the same, too', async (t) => {
  // What comes of equal opcodes is not up to us: one object of each kind is enough.
  const targets = allTargets.filter(
    (target) => isJob(target) && /\/(node1|inst2)\.example\.com\//.test(target),
  )
  const submitted: { target: string; theirs: Json; ours: Json }[] = []
  for (const target of targets) {
    const [theirs, ours] = [
      await ask(ORIGINAL, target, rightsFor(target)),
      await ask(OURS, target, rightsFor(target)),
    ]
    if (theirs.status === 200) submitted.push({ target, theirs: theirs.body, ours: ours.body })
  }
  t.ok(submitted.length > 5, 'there was something to compare')
  for (const { target, theirs, ours } of submitted) {
    const [their, our] = [await ended(theirs), await ended(ours)]
    const parts = ({ ops, status, opresult }: typeof their) => ({ ops, status, opresult: settled(opresult) })
    t.same(parts(our), parts(their), target)
  }
})

/** A result without what moves: the space used and left, and the order of tags, which are a set. */
function settled(result: Json): Json {
  return JSON.parse(JSON.stringify(timeless(result)), (key, value) => {
    if (key === 'tags' && Array.isArray(value)) return [...value].sort()
    return typeof value === 'number' && value > 1000 ? 'much' : value
  })
}

t.test('a wait for a job is answered as by the original', async (t) => {
  const [done = ''] = jobs
  const fields = ['id', 'status', 'opstatus']
  const cases: [target: string, body: Json | undefined][] = [
    [`/2/jobs/${done}/wait`, { fields }],
    [
      `/2/jobs/${done}/wait`,
      { fields, previous_job_info: [Number(done), 'success'], previous_log_serial: 99 },
    ],
    [`/2/jobs/${done}/wait`, { fields: ['id', 'bogus'], previous_job_info: null, previous_log_serial: null }],
    [`/2/jobs/${done}/wait`, {}],
    [`/2/jobs/${done}/wait`, []],
    [`/2/jobs/${done}/wait`, undefined],
    [`/2/jobs/${done}/wait`, { fields: 'id' }],
    [`/2/jobs/${done}/wait`, { fields, previous_job_info: 5 }],
    [`/2/jobs/${done}/wait`, { fields, previous_log_serial: 'x' }],
    ['/2/jobs/99999/wait', { fields }],
  ]
  for (const [target, body] of cases) {
    const asking = { user: 'writer', body }
    const { lines, unexpected } = await compare(target, asking)
    t.same(unexpected, [], `${target} ${JSON.stringify(body)}`)
    for (const line of lines) {
      for (const one of LIVE_DIFFERENCES) if (one.where.test(line)) uses.set(one, (uses.get(one) ?? 0) + 1)
    }
  }
})

t.test('every difference that is listed is still one', async (t) => {
  for (const [{ where, reason, comesAndGoes }, count] of uses) {
    t.comment(`${count} times: ${reason}`)
    t.ok(count > 0 || comesAndGoes === true, `still a difference: ${where}`)
  }
})

t.test('version 1.2, which only ours speaks, answers from the live cluster', async (t) => {
  for (const target of allTargets.filter(isOld)) {
    const { status } = await ask(OURS, target)
    t.equal(status, target.includes('nosuch') ? 404 : 200, target)
  }
  const { body } = await ask(OURS, '/instances?bulk=1')
  const states = Object.fromEntries(
    (body as { name: string; status: string }[]).map((one) => [one.name, one.status]),
  )
  t.match(states, {
    'inst1.example.com': 'running',
    'inst3.example.com': 'ADMIN_down',
    'inst5.example.com': 'ADMIN_down',
    'inst6.example.com': 'ERROR_down',
    'inst7.example.com': 'ERROR_up',
    'inst9.example.com': 'ERROR_down',
  })
})
