/**
 * That a job is the same, whichever of the two daemons it was submitted
 * through: for every method that submits one, each opcode as the master daemon
 * shows it afterwards, with all its parameters. The original sends every
 * parameter with its own idea of a default, ours what the client said.
 *
 * Asked with the least that a method takes; and then with everything that the
 * first job was shown to have, said aloud, what is true or false the other
 * way, as far as the original takes it.
 */
import t, { type Test } from 'tap'
import { isJsonObject, type Json, type JsonObject, stringifyJson } from '../../lib/json/json.ts'
import { resources } from '../../lib/resources/table.ts'
import { compareAnswers } from '../differential/compare-json.ts'
import { inParallel, whilePaused } from './paused.ts'
import { type Asking, ask, ganetiVersion, jobOf, ORIGINAL, OURS, type Side } from './sides.ts'

t.setTimeout(900_000)

const NAMES: { readonly [name: string]: string } = {
  instance_name: 'inst3.example.com',
  node_name: 'node2.example.com',
  group_name: 'group2',
  network_name: 'net2',
  disk: '0',
}

const CREATION = {
  mode: 'create',
  instance_name: 'inst40.example.com',
  disk_template: 'file',
  disks: [{ size: 1024 }],
  nics: [{}],
}

/** What a method has to be told at least, besides its path. */
const LEAST: { readonly [method: string]: readonly [query: string, body?: Json] } = {
  'PUT /2/tags': ['?tag=a'],
  'DELETE /2/tags': ['?tag=a'],
  'PUT /2/modify': ['', {}],
  'PUT /2/redistribute-config': [''],
  'POST /2/nodes/{node_name}/modify': ['', {}],
  'PUT /2/nodes/{node_name}/role': ['', 'regular'],
  'POST /2/nodes/{node_name}/evacuate': ['', { mode: 'all' }],
  'POST /2/nodes/{node_name}/migrate': ['', {}],
  'POST /2/nodes/{node_name}/powercycle': [''],
  'GET /2/nodes/{node_name}/storage': ['?storage_type=file&output_fields=name'],
  'PUT /2/nodes/{node_name}/storage/modify': ['?storage_type=lvm-pv&name=x'],
  'PUT /2/nodes/{node_name}/storage/repair': ['?storage_type=lvm-vg&name=x'],
  'PUT /2/nodes/{node_name}/tags': ['?tag=a'],
  'DELETE /2/nodes/{node_name}/tags': ['?tag=a'],
  'POST /2/instances': ['', { __version__: 1, ...CREATION }],
  'POST /2/instances-multi-alloc': ['', { instances: [CREATION] }],
  'DELETE /2/instances/{instance_name}': [''],
  'GET /2/instances/{instance_name}/info': [''],
  'PUT /2/instances/{instance_name}/startup': [''],
  'PUT /2/instances/{instance_name}/shutdown': [''],
  'POST /2/instances/{instance_name}/reboot': [''],
  'PUT /2/instances/{instance_name}/modify': ['', {}],
  'PUT /2/instances/{instance_name}/rename': ['', { new_name: 'renamed.example.com' }],
  'POST /2/instances/{instance_name}/reinstall': ['', {}],
  'PUT /2/instances/{instance_name}/migrate': ['', {}],
  'PUT /2/instances/{instance_name}/failover': ['', {}],
  'PUT /2/instances/{instance_name}/activate-disks': [''],
  'PUT /2/instances/{instance_name}/deactivate-disks': [''],
  'POST /2/instances/{instance_name}/recreate-disks': ['', {}],
  'POST /2/instances/{instance_name}/replace-disks': ['', { mode: 'replace_auto' }],
  'POST /2/instances/{instance_name}/disk/{disk}/grow': ['', { amount: 16 }],
  'PUT /2/instances/{instance_name}/prepare-export': ['?mode=local'],
  'PUT /2/instances/{instance_name}/export': ['', { mode: 'local', destination: 'node2.example.com' }],
  'PUT /2/instances/{instance_name}/tags': ['?tag=a'],
  'DELETE /2/instances/{instance_name}/tags': ['?tag=a'],
  'POST /2/groups': ['', { group_name: 'group40' }],
  'DELETE /2/groups/{group_name}': [''],
  'PUT /2/groups/{group_name}/modify': ['', {}],
  'PUT /2/groups/{group_name}/rename': ['', { new_name: 'group41' }],
  'PUT /2/groups/{group_name}/assign-nodes': ['', { nodes: ['node2.example.com'] }],
  'PUT /2/groups/{group_name}/tags': ['?tag=a'],
  'DELETE /2/groups/{group_name}/tags': ['?tag=a'],
  'POST /2/networks': ['', { network_name: 'net40', network: '10.40.0.0/24' }],
  'DELETE /2/networks/{network_name}': [''],
  'PUT /2/networks/{network_name}/connect': [
    '',
    { group_name: 'default', network_mode: 'bridged', network_link: 'br0' },
  ],
  'PUT /2/networks/{network_name}/disconnect': ['', { group_name: 'default' }],
  'PUT /2/networks/{network_name}/modify': ['', {}],
  'PUT /2/networks/{network_name}/rename': ['', { new_name: 'net41' }],
  'PUT /2/networks/{network_name}/tags': ['?tag=a'],
  'DELETE /2/networks/{network_name}/tags': ['?tag=a'],
}

/** Methods that a release does not have yet. */
const LATER: { readonly [release: string]: readonly string[] } = {
  '3.0': ['PUT /2/networks/{network_name}/rename', 'DELETE /2/instances/{instance_name}/export'],
  '3.1': ['DELETE /2/instances/{instance_name}/export'],
}

interface Submission {
  readonly name: string
  readonly method: string
  readonly target: string
  readonly body: Json | undefined
  /** The opcodes of the job, at most. */
  readonly opcodes: readonly string[]
}

const submissions: readonly Submission[] = resources.flatMap(({ path, methods }) =>
  Object.entries(methods).flatMap(([method, { submits: opcodes }]) => {
    if (!opcodes) return []
    const name = `${method} ${path}`
    const [query = '', body] = LEAST[name] ?? []
    const target = path.replace(/\{(\w+)\}/g, (_, part: string) => NAMES[part] ?? part) + query
    return [{ name, method, target, body, opcodes }]
  }),
)

const release = (await ganetiVersion()).replace(/^(\d+\.\d+).*/, '$1')
const later = LATER[release] ?? []

const submit = (side: Side, { method, target }: Submission, body: Json | undefined) =>
  ask(side, target, { user: 'writer', method, body })

/** Submits a job through ours that the original has submitted, and compares the two; whether they are equal. */
async function compareJobs(
  t: Test,
  theirs: Json,
  submission: Submission,
  body: Json | undefined,
  title: string,
) {
  const ours = await submit(OURS, submission, body)
  if (!t.equal(typeof ours.body, 'number', `${title}: ${stringifyJson(ours.body)}`)) return false
  const [their, our] = [await jobOf(theirs), await jobOf(ours.body)]
  const equal = t.same(our.ops, their.ops, title)
  return equal
}

/**
 * Submits a job through the original that says everything that one was shown to have.
 * @returns what was said, and the job; undefined where nothing could be
 */
async function sayAll(
  submission: Submission,
  shown: JsonObject,
): Promise<{ body: JsonObject; job: Json } | undefined> {
  const { body: least, target } = submission
  // A body's own names come first, and a role is not an object.
  const said: { [name: string]: Json } = { ...opposite(shown), ...(isJsonObject(least) ? least : {}) }
  if (least === undefined || !isJsonObject(least) || target.includes('?')) return undefined
  for (const name of ['OP_ID', 'reason', 'depends']) delete said[name]
  for (;;) {
    const { status, body } = await submit(ORIGINAL, submission, said)
    if (status === 200) return { body: said, job: body }
    // One refusal after the other, until what it takes is left.
    const { message } = body as { message: string }
    const refused = Object.keys(said).filter(
      (name) => !Object.hasOwn(least, name) && new RegExp(`\\b${name}&#x27;`).test(message),
    )
    if (refused.length === 0) throw new Error(`${submission.name}: ${message}`)
    for (const name of refused) delete said[name]
  }
}

/** The same with what is true false, and the other way round. */
function opposite(shown: JsonObject): JsonObject {
  const turned = Object.entries(shown).map(([name, value]) => [
    name,
    typeof value === 'boolean' ? !value : value,
  ])
  return Object.fromEntries(turned)
}

t.test('a job has the same opcodes through both, whatever the client leaves out or says', async (t) => {
  const seen = new Set<string>()
  let least = 0
  let all = 0
  let said = 0
  await whilePaused(() =>
    inParallel(
      submissions.filter(({ name }) => !later.includes(name)),
      async (submission) => {
        const { name, body, opcodes } = submission
        const theirs = await submit(ORIGINAL, submission, body)
        if (!t.equal(theirs.status, 200, `the original takes ${name}: ${stringifyJson(theirs.body)}`)) return
        if (await compareJobs(t, theirs.body, submission, body, name)) least++
        const ops = (await jobOf(theirs.body)).ops as JsonObject[]
        t.same(
          ops.map(({ OP_ID }) => OP_ID),
          opcodes,
          `${name}: its opcodes`,
        )
        for (const { OP_ID } of ops) seen.add(String(OP_ID))
        const everything = await sayAll(submission, ops[0] as JsonObject)
        if (!everything) return
        said++
        const title = `${name} ${stringifyJson(everything.body)}`
        if (await compareJobs(t, everything.job, submission, everything.body, title)) all++
      },
    ),
  )
  const methods = submissions.length - later.length
  t.comment(`${least} of ${methods} methods submit equal jobs by default, ${seen.size} opcodes in all`)
  t.comment(`${all} of ${said} do with everything said`)
})

t.test('what a release does not have yet, neither daemon has', async (t) => {
  for (const submission of submissions.filter(({ name }) => later.includes(name))) {
    const [theirs, ours] = [
      await submit(ORIGINAL, submission, submission.body),
      await submit(OURS, submission, submission.body),
    ]
    t.ok([404, 501].includes(theirs.status), submission.name)
    t.same(compareAnswers(theirs, ours).differences, [], submission.name)
  }
})

t.test('what is private in a job stays so, whoever reads it', async (t) => {
  const osparams_private = { size: 'hidden' }
  const secret = { osparams_private, osparams_secret: { greeting: 'hidden' } }
  const requests: readonly [method: string, target: string, body: Json][] = [
    ['POST', '/2/instances', { __version__: 1, ...CREATION, ...secret }],
    ['POST', '/2/instances-multi-alloc', { instances: [{ ...CREATION, ...secret }, CREATION] }],
    ['PUT', '/2/instances/inst3.example.com/modify', { osparams_private }],
    ['PUT', '/2/modify', { osparams_private_cluster: { noop: osparams_private } }],
  ]
  await whilePaused(async () => {
    for (const [method, target, body] of requests) {
      for (const side of [ORIGINAL, OURS]) {
        const { body: job } = await ask(side, target, { user: 'writer', method, body })
        const query = { fields: ['id', 'ops'], qfilter: ['=', 'id', job] }
        const readings: readonly [target: string, asking: Asking][] = [
          [`/2/jobs/${job}`, {}],
          ['/2/query/job', { user: 'reader', method: 'PUT', body: query }],
          [`/2/jobs/${job}/wait`, { user: 'writer', body: { fields: ['ops'], previous_job_info: null } }],
        ]
        for (const [reading, asking] of readings) {
          const [theirs, ours] = [await ask(ORIGINAL, reading, asking), await ask(OURS, reading, asking)]
          const title = `${target} through ${side.name}, read at ${reading.replace(/\d{2,}/, 'ID')}`
          t.equal(ours.status, 200, title)
          t.same(ours.body, theirs.body, title)
          t.notMatch(stringifyJson(ours.body), /hidden/, title)
        }
      }
    }
  })
})
