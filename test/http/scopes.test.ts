/** Rights that end at an object, case by case; scopes-model.test.ts has them all at random. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { createAuthorizer } from '../../lib/auth/authorize.ts'
import { parseUsers } from '../../lib/auth/users-file.ts'
import { configFileBackend } from '../../lib/backend/config-file/config-file-backend.ts'
import { createApp } from '../../lib/http/app.ts'
import type { Json, JsonObject } from '../../lib/json/json.ts'
import { resources } from '../../lib/resources/table.ts'
import { type Answered, ask } from '../support/ask-app.ts'
import { fixture } from '../support/daemon-root.ts'
import { parseConfig } from '../support/read-cluster.ts'

const USERS = parseUsers(`
all pw @admin
mail pw @admin!tag=mail
also pw @admin!tag=mail,@readonly!node=node2
names pw @admin!instance=web*.example.com
place pw @admin!group=default
starter pw instances.startup!tag=mail,@readonly
bare pw instances.startup!tag=mail
namer pw instances.rename!tag=mail,@admin!instance=web*
maker pw instances.startup,@readonly!tag=mail
mover pw @operator!tag=mail,instances.modify!tag=mail,@admin!node=node3
emptier pw nodes.migrate!node=node*,instances.remove!node=node3
hosts pw @operator!node=node1,@operator!node=node3
`)

const sample = readFileSync(fixture('cluster.yaml'), 'utf8')
const config = parseConfig(sample, { name: 'cluster.yaml' })

function serve({ anonymousReads = false, cluster = config } = {}) {
  const jobs: { id: number; ops: { input: JsonObject }[] }[] = []
  const queue = {
    jobs,
    locks: [],
    job: (id: string) => jobs.find((job) => String(job.id) === id),
    submit: async (opcodes: readonly JsonObject[]) => {
      const rest = {
        status: 'queued',
        result: null,
        log: [],
        priority: 0,
        start: null,
        exec: null,
        end: null,
      }
      const id = jobs.length + 1
      jobs.push({
        id,
        ops: opcodes.map((input) => ({ input, ...rest })),
        ...{ received: [0, 0], start: null, end: null },
      })
      return id
    },
    cancel: async (id: string) => [true, `Job ${id} canceled`] as const,
    waitFor: async (_id: number, look: () => unknown) => look(),
  }
  const backend = configFileBackend(() => cluster, queue as never)
  const logged: string[] = []
  const app = createApp({
    resources,
    backend: () => backend,
    authorizer: createAuthorizer({ users: () => USERS, anonymousReads, requireAuthentication: false }),
    logForbidden: (message) => logged.push(message),
    metricsPage: async () => ({ status: 200, headers: [], body: Buffer.from('1'), counts: undefined }),
  })
  const asked = (user: string | undefined, method: string, target: string, body?: Json, headers?: object) =>
    ask(app, user, method, target, { body, ...(headers && { headers }) })
  return { jobs, logged, asked, backend }
}

const CREATION = {
  ...{ __version__: 1, mode: 'create', os_type: 'debian', disk_template: 'diskless', disks: [], nics: [] },
  ...{ name_check: false, ip_check: false },
}

const messageOf = (json: Json) => String((json as JsonObject).detail ?? (json as JsonObject).message)

t.test('what is outside is not there, and forbidden if it is seen by another word', async (t) => {
  const { asked, logged, jobs } = serve()
  for (const [user, method, target, status] of [
    ['mail', 'GET', '/2/instances/mail', 200],
    ['mail', 'GET', '/2/instances/web', 404],
    ['mail', 'GET', '/2/instances/no.such', 404],
    ['mail', 'PUT', '/2/instances/web/startup', 404],
    ['mail', 'GET', '/instances/web', 404],
    ['mail', 'GET', '/2/nodes/node1', 404],
    ['starter', 'GET', '/2/instances/web', 200],
    ['starter', 'PUT', '/2/instances/web/startup', 403],
    ['starter', 'PUT', '/2/instances/no.such/startup', 404],
    ['also', 'GET', '/2/instances/retired', 200],
    ['also', 'PUT', '/2/instances/retired/startup', 403],
    ['also', 'PUT', '/2/instances/db/startup', 404],
    ['bare', 'PUT', '/2/instances/db/startup', 404],
    ['bare', 'GET', '/2/instances/mail', 403],
  ] as const)
    t.equal((await asked(user, method, target)).status, status, `${user} ${method} ${target}`)
  t.equal(jobs.length, 0)
  const unknown = await asked('mail', 'GET', '/2/instances/no.such')
  const hidden = await asked('mail', 'GET', '/2/instances/web')
  t.strictSame(
    messageOf(hidden.json),
    messageOf(unknown.json).replace('no.such', 'web'),
    'no telling them apart',
  )
  t.match(
    logged,
    new Set([
      'User starter may not PUT /2/instances/web/startup: needs instances.startup (write); ' +
        'Outside of the scope of your rights: instance web',
    ]),
  )
})

t.test('the cluster as a whole takes a word without a selector', async (t) => {
  const { asked } = serve()
  for (const target of ['/2/info', '/2/os', '/2/features', '/info', '/os', '/version', '/'])
    t.equal((await asked('mail', 'GET', target)).status, 200, target)
  for (const [method, target, body] of [
    ['GET', '/2/groups'],
    ['GET', '/2/networks'],
    ['GET', '/2/filters'],
    ['GET', '/2/tags'],
    ['GET', '/tags'],
    ['GET', '/2/groups/default/tags'],
    ['GET', '/metrics'],
    ['PUT', '/2/tags?tag=x'],
    ['PUT', '/2/networks/front/tags?tag=x'],
    ['PUT', '/2/modify', { candidate_pool_size: 2 }],
    ['PUT', '/2/redistribute-config'],
    ...['cluster', 'export', 'extstorage', 'filter', 'group', 'lock', 'network', 'os'].map(
      (what) => ['GET', `/2/query/${what}?fields=name`] as const,
    ),
  ] as const)
    t.equal((await asked('mail', method, target, body)).status, 403, `${method} ${target}`)
  t.equal((await asked('mail', 'GET', '/2/query/nothing?fields=name')).status, 400)
  t.equal((await asked('mail', 'GET', '/2/query/group/fields')).status, 200)
  t.equal((await asked('all', 'GET', '/metrics')).status, 200)
})

t.test(
  'where strangers may read, a user reads what strangers do but for what is granted with a selector',
  async (t) => {
    const { asked } = serve({ anonymousReads: true })
    const count = async (user: string | undefined, target: string) =>
      ((await asked(user, 'GET', target)).json as Json[]).length
    t.equal(await count('mail', '/2/instances'), 1)
    t.equal(await count('mail', '/2/groups'), 2)
    t.equal(await count('bare', '/2/instances'), config.instances.all.length)
    t.equal(await count(undefined, '/2/instances'), config.instances.all.length)
    t.equal((await asked('bare', 'PUT', '/2/instances/db/startup')).status, 403, 'it is seen by everybody')
  },
)

t.test('answers within a scope are not shared, and their entity tags differ', async (t) => {
  const { asked } = serve()
  const tag = ({ headers }: { headers: readonly string[] }) => headers[headers.indexOf('ETag') + 1] as string
  const answers = []
  for (const user of ['all', 'mail', 'also', 'starter', 'mail']) {
    for (const target of ['/2/instances/mail.example.com', '/2/instances?bulk=1'])
      answers.push({ user, target, ...(await asked(user, 'GET', target)) })
  }
  const same = answers.filter(({ target, user }) => !target.includes('bulk') && user !== 'starter')
  t.equal(new Set(same.map(({ json }) => JSON.stringify(json))).size, 1)
  t.equal(new Set(same.map(tag)).size, 3, 'all, mail, also')
  const [all, mail] = answers.filter(({ target }) => target.includes('bulk')) as readonly Answered[] as [
    Answered,
    Answered,
  ]
  t.equal((all.json as Json[]).length, config.instances.all.length)
  t.equal((mail.json as Json[]).length, 1)
  const target = '/2/instances?bulk=1'
  const known = { 'if-none-match': tag(mail) }
  t.equal((await asked('mail', 'GET', target, undefined, known)).status, 304)
  t.equal((await asked('all', 'GET', target, undefined, known)).status, 200)
  t.equal((await asked('also', 'GET', target, undefined, known)).status, 200)
})

t.test('a new instance must be within the scope, and so must everything that it names', async (t) => {
  const { asked, jobs } = serve()
  const create = (user: string, rest: JsonObject) =>
    asked(user, 'POST', '/2/instances', { ...CREATION, instance_name: 'new.example.com', ...rest })
  for (const [user, rest, status, why = ''] of [
    ['mail', { tags: ['mail'] }, 200],
    ['mail', { tags: ['other'] }, 403, 'it needs the tag mail among its tags'],
    ['mail', { tags: ['mail'], pnode: 'node1' }, 403, 'there is no node node1 in it, which pnode names'],
    ['names', { instance_name: 'web5.example.com' }, 200],
    ['names', {}, 403, 'it needs the name web*.example.com'],
    ['place', { pnode: 'node1' }, 200],
    ['place', { group_name: 'default' }, 200],
    ['place', { pnode: 'node4' }, 403, 'there is no node node4 in it'],
    ['place', {}, 403, 'a primary node of the group default as pnode'],
    ['place', { pnode: 'node1', nics: [{ network: 'front' }] }, 200],
    ['names', { instance_name: 'web5.example.com', nics: [{ network: 'front' }] }, 403, 'no network front'],
    ['place', { pnode: 'node1', nics: [{ link: 'xen-br9' }] }, 403, 'link of a network card may be any'],
    ['place', { pnode: 'node1', nics: [{ mode: 'routed' }] }, 403, 'mode of a network card may be any'],
    ['place', { pnode: 'node1', disk_template: 'plain', disks: [{ adopt: 'lv1' }] }, 403, 'adopt'],
    ['place', { pnode: 'node1', pnode_uuid: 'x' }, 403, 'pnode_uuid cannot be given: name the node'],
    ['place', { pnode: 'node1', mode: 'import', src_node: 'node1', src_path: '/x' }, 403, 'an import reads'],
    ['place', { pnode: 'node1', hvparams: { kvm_extra: '-drive /dev/sda' } }, 403, 'kvm_extra reaches out'],
    ['place', { pnode: 'node1', hvparams: { acpi: true, boot_order: 'cdrom' } }, 200],
    ['all', { hvparams: { kvm_extra: '-drive /dev/sda' }, pnode: 'node4' }, 200],
  ] as const) {
    const before = jobs.length
    const { status: got, json } = await create(user, rest as JsonObject)
    t.equal(got, status, `${user} ${JSON.stringify(rest)} ${messageOf(json)}`)
    if (why !== '') t.match(messageOf(json), why)
    t.equal(jobs.length - before, status === 200 ? 1 : 0)
  }
  const many = (...names: string[]) =>
    asked('names', 'POST', '/2/instances-multi-alloc', {
      instances: names.map((instance_name) => ({
        ...CREATION,
        __version__: undefined as never,
        instance_name,
      })),
    })
  t.equal((await many('web1.example.com', 'web2.example.com')).status, 200)
  t.equal((await many('web1.example.com', 'other.example.com')).status, 403)
  const manyAt = async (place: JsonObject) => {
    const { __version__, ...rest } = CREATION
    const instances = [{ ...rest, instance_name: 'new.example.com', ...place }]
    return (await asked('place', 'POST', '/2/instances-multi-alloc', { instances })).status
  }
  t.equal(await manyAt({ pnode: 'node1' }), 200)
  t.equal(await manyAt({ group_name: 'default' }), 403, 'the allocator does not look at it')
})

t.test('nothing is moved into a scope or out of it', async (t) => {
  const { asked } = serve()
  for (const [user, method, target, body, status] of [
    ['mail', 'PUT', '/2/instances/mail/tags?tag=blue', undefined, 200],
    ['mail', 'DELETE', '/2/instances/mail/tags?tag=mail', undefined, 403],
    ['mail', 'PUT', '/2/instances/mail/rename', { new_name: 'post.example.com' }, 200],
    ['names', 'PUT', '/2/instances/web/rename', { new_name: 'web3.example.com' }, 200],
    ['names', 'PUT', '/2/instances/web/rename', { new_name: 'other.example.com' }, 403],
    ['names', 'PUT', '/2/instances/web/rename', { new_name: 'web3' }, 403],
    ['namer', 'PUT', '/2/instances/mail/rename', { new_name: 'WEB3.example.com' }, 403],
    ['namer', 'PUT', '/2/instances/mail/rename', { new_name: 'POST.example.com' }, 200],
    ['mover', 'PUT', '/2/instances/mail/modify', { pnode: 'node3' }, 403],
    ['mover', 'PUT', '/2/instances/mail/migrate', { target_node: 'node3' }, 403],
    ['mover', 'PUT', '/2/instances/mail/migrate', {}, 200],
    [
      'mover',
      'POST',
      '/2/instances/mail/replace-disks',
      { mode: 'replace_new_secondary', remote_node: 'node3' },
      403,
    ],
    ['emptier', 'POST', '/2/nodes/node2/migrate', { target_node: 'node3' }, 403],
    ['emptier', 'POST', '/2/nodes/node2/migrate', {}, 200],
    ['mover', 'PUT', '/2/instances/db/migrate', { target_node: 'node2' }, 403],
    ['hosts', 'PUT', '/2/instances/web/migrate', { target_node: 'node3' }, 200],
    ['place', 'PUT', '/2/instances/web/failover', { target_node: 'node4' }, 403],
    ['place', 'PUT', '/2/instances/web/failover', { target_node: 'node3' }, 200],
    ['place', 'PUT', '/2/instances/web/failover', {}, 200],
    [
      'place',
      'POST',
      '/2/instances/web/replace-disks',
      { mode: 'replace_new_secondary', remote_node: 'node5' },
      403,
    ],
    ['place', 'POST', '/2/nodes/node1/modify', { drained: true }, 200],
    ['place', 'PUT', '/2/nodes/node1/role?auto-promote=1', 'offline', 403],
    ['place', 'POST', '/2/nodes/node1/modify', { ndparams: { oob_program: '/bin/sh' } }, 403],
    ['place', 'PUT', '/2/instances/web/modify', { disks: [['attach', -1, { uuid: 'x' }]] }, 403],
    ['place', 'PUT', '/2/instances/web/export', { target_node: 'node4' }, 403],
    ['place', 'GET', '/2/nodes/node1/storage?storage_type=lvm-vg&output_fields=name', undefined, 200],
    ['place', 'GET', '/2/nodes/node4/storage?storage_type=lvm-vg&output_fields=name', undefined, 404],
  ] as const) {
    const { status: got, json } = await asked(user, method, target, body as Json | undefined)
    t.equal(got, status, `${user} ${method} ${target} ${JSON.stringify(body)} ${messageOf(json)}`)
  }
})

t.test('what is submitted has the full names that were checked', async (t) => {
  const { asked, jobs } = serve()
  t.equal((await asked('place', 'PUT', '/2/instances/web/failover', { target_node: 'node2' })).status, 200)
  t.match(jobs.at(-1)?.ops[0]?.input, { instance_name: 'web.example.com', target_node: 'node2.example.com' })
  t.equal((await asked('place', 'GET', '/2/instances/web/info')).status, 200)
  t.match(jobs.at(-1)?.ops[0]?.input, { instances: ['web.example.com'] })
})

t.test(
  'jobs are seen and canceled by who submitted them, and within whose scope their objects are',
  async (t) => {
    const { asked, jobs, backend } = serve()
    const start = (user: string, name: string) =>
      asked(user, 'PUT', `/2/instances/${name}/startup?reason=user%3Dmail%3Brequest%3D1`)
    t.equal((await start('all', 'web')).json, 1)
    t.equal((await start('all', 'mail')).json, 2)
    t.equal((await start('mail', 'mail')).json, 3)
    t.equal(
      (await asked('mail', 'PUT', '/2/instances/mail/rename', { new_name: 'post.example.com' })).json,
      4,
    )
    await backend.submitJob([{ OP_ID: 'OP_CLUSTER_VERIFY' }])
    await backend.submitJob([{ OP_ID: 'OP_INSTANCE_STARTUP', instance_name: 'mail' }])
    await backend.submitJob([{ OP_ID: 'OP_INSTANCE_STARTUP', instance_name: 'web9.example.com' }])
    await backend.submitJob([{ OP_ID: 'OP_UNHEARD_OF', instance_name: 'mail.example.com' }])
    await backend.submitJob([
      { OP_ID: 'OP_INSTANCE_STARTUP', instance_name: 'mail.example.com' },
      { OP_ID: 'OP_INSTANCE_STARTUP', instance_name: 'web.example.com' },
    ])

    const list = async (user: string) =>
      ((await asked(user, 'GET', '/2/jobs')).json as JsonObject[]).map(({ id }) => id)
    t.strictSame(await list('all'), [1, 2, 3, 4, 5, 6, 7, 8, 9])
    t.strictSame(await list('mail'), [2, 3, 4, 6])
    t.strictSame(await list('names'), [1, 7], 'what does not exist has its name')
    t.strictSame(await list('place'), [1, 2, 3, 4, 6, 9])
    const bulk = await asked('mail', 'GET', '/2/jobs?bulk=1')
    t.strictSame(
      (bulk.json as JsonObject[]).map(({ id }) => id),
      [2, 3, 4, 6],
    )
    const query = await asked('mail', 'PUT', '/2/query/job', {
      fields: ['id', 'status'],
      qfilter: ['>', 'id', 2],
    })
    t.match(query.json, {
      data: [
        [
          [0, 3],
          [0, 'queued'],
        ],
        [[0, 4]],
        [[0, 6]],
      ],
      fields: [{ name: 'id' }, { name: 'status' }],
    })

    const wait = { fields: ['status'], previous_job_info: null, previous_log_serial: null }
    for (const [user, method, target, body, status] of [
      ['mail', 'GET', '/2/jobs/2', undefined, 200],
      ['mail', 'GET', '/2/jobs/1', undefined, 404],
      ['mail', 'GET', '/2/jobs/77', undefined, 404],
      ['mail', 'GET', '/2/jobs/3/wait', wait, 200],
      ['mail', 'GET', '/2/jobs/1/wait', wait, 404],
      ['mail', 'DELETE', '/2/jobs/2', undefined, 200],
      ['mail', 'PUT', '/2/instances/mail/startup', { depends: [[1, ['success']]] }, 403],
      ['mail', 'PUT', '/2/instances/mail/shutdown', { depends: [[1, ['success']]] }, 403],
      ['mail', 'PUT', '/2/instances/mail/shutdown', { depends: [[10, ['success']]] }, 403],
      ['mail', 'PUT', '/2/instances/mail/shutdown', { depends: [[2, ['success']]] }, 200],
      ['mail', 'GET', '/2/jobs/10', undefined, 200],
    ] as const)
      t.equal((await asked(user, method, target, body as never)).status, status, `${method} ${target}`)
    t.strictSame((await asked('mail', 'DELETE', '/2/jobs/1')).json, [false, 'Job 1 not found in queue'])
    t.strictSame((await asked('mail', 'DELETE', '/2/jobs/1?dry-run=1')).json, [
      false,
      'Job 1 not found in queue',
    ])
    t.strictSame((await asked('mail', 'DELETE', '/2/jobs/77')).json, [false, 'Job 77 not found in queue'])
    t.equal(jobs.length, 10)
  },
)

t.test('filters are no way to learn of what is outside', async (t) => {
  const { asked } = serve()
  const query = async (filter: Json) => {
    const { status, json } = await asked('also', 'PUT', '/2/query/node', {
      fields: ['name'],
      qfilter: filter,
    })
    return status === 200 ? (json as { data: Json[] }).data.length : status
  }
  t.equal(await query(null), 1)
  t.equal(await query(['=[]', 'sinst_list', 'web.example.com']), 403)
  t.equal(await query(['&', ['!', ['=[]', 'pinst_list', 'web.example.com']]]), 403)
  t.equal(await query(['=', 'name', 'node2']), 1)
  t.equal(await query(['=', 'name', 'node1']), 404)
})

t.test('a filter that fails tells nothing of jobs outside', async (t) => {
  const { asked, backend } = serve()
  for (const instance_name of ['web', 'mail', 'web', 'web', 'mail', 'mail', 'web'])
    await backend.submitJob([
      { OP_ID: 'OP_INSTANCE_STARTUP', instance_name, comment: `about ${instance_name}` },
    ])
  const query = async (qfilter: Json) => {
    const { status, json } = await asked('mail', 'PUT', '/2/query/job', { fields: ['id'], qfilter })
    return status === 200
      ? (json as { data: [[0, number]][] }).data.map(([[, id]]) => id)
      : [status, messageOf(json)]
  }
  t.strictSame(await query(['>', 'id', 0]), [2, 5, 6])
  t.strictSame(await query(['|', ['=', 'id', 3], ['=', 'id', 5]]), [5])
  t.strictSame(await query(['&', ['=', 'id', 1], ['=[]', 'ops', 'x']]), [], 'as if there were no such job')
  t.match(await query(['&', ['=', 'id', 2], ['=[]', 'ops', 'x']]), [400, 'about mail'])
  t.strictSame(await query(['&', ['=', 'id', 99], ['=[]', 'ops', 'x']]), [])
  t.match(await query(['=[]', 'ops', 'x']), [400, 'about mail'])
  t.match(await query(['=', 'nothing', 'x']), [400], 'the filter is checked nevertheless')
})

t.test('values are no way around the limits of what they are for', async (t) => {
  const { asked } = serve()
  for (const [body, why] of [
    [{ hvparams: { machine_version: 'pc-i440fx-2.12', keymap: 'en-us', cpu_type: 'host,+vmx' } }, ''],
    [
      { hvparams: { kernel_args: 'ro console=ttyS0,115200', root_path: 'UUID=1-2', soundhw: 'hda,ac97' } },
      '',
    ],
    [{ hvparams: { machine_version: 'pc,initrd=/etc/shadow' } }, 'machine_version has characters'],
    [{ hvparams: { keymap: '/etc/shadow' } }, 'keymap has characters'],
    [{ hvparams: { kernel_args: "ro'\ndisk = ['phy:/dev/sda,xvda,w']" } }, 'kernel_args has characters'],
    [{ hvparams: { root_path: "/dev/xvda1'" } }, 'root_path has characters'],
    [{ hvparams: { use_chroot: false } }, 'use_chroot protects the node'],
    [{ hvparams: { use_chroot: 'default', kernel_path: '' } }, ''],
    [{ hvparams: { unheard_of: '/etc/shadow' } }, 'unheard_of reaches out'],
    [{ disks: [['add', -1, { size: 1024, name: 'attach', vg: 'xenvg' }]] }, ''],
    [{ disks: [['add', { size: 1024, adopt: 'root' }]] }, 'adopt'],
    [{ disks: [['attach', { name: 'x' }]] }, 'attached'],
    [{ disks: [['add', -1, { size: 1024, provider: 'rbd', origin: 'other' }]] }, 'origin of a disk'],
    [
      { disk_template: 'ext', ext_params: { provider: 'rbd', origin: 'other' } },
      'ext_params cannot be given',
    ],
  ] as const) {
    const { status, json } = await asked('place', 'PUT', '/2/instances/web/modify', body as never)
    t.equal(status, why === '' ? 200 : 403, `${JSON.stringify(body)} ${messageOf(json)}`)
    if (why !== '') t.match(messageOf(json), why)
  }
})

t.test('a short name that fits several objects within the scope means none of them', async (t) => {
  const cluster = parseConfig(sample.replaceAll('db.example.com', 'web.example.org'), {
    name: 'cluster.yaml',
  })
  const { asked, jobs } = serve({ cluster })
  for (const [method, target] of [
    ['GET', '/2/instances/web'],
    ['GET', '/2/instances/web/tags'],
    ['GET', '/2/instances/web/info'],
    ['PUT', '/2/instances/web/startup'],
    ['DELETE', '/2/instances/web'],
  ] as const) {
    const { status, json } = await asked('place', method, target)
    t.equal(status, 404, `${method} ${target}`)
    t.equal(messageOf(json), 'Instance name web has multiple matches')
  }
  t.equal(jobs.length, 0)
  t.equal((await asked('place', 'PUT', '/2/instances/web.example.org/startup')).status, 200)
  t.equal((await asked('names', 'PUT', '/2/instances/web/startup')).status, 200, 'the other is not there')
  t.match(jobs.at(-1)?.ops[0]?.input, { instance_name: 'web.example.com' })
})

t.test('users of whom anything is limited see their jobs of what is not', async (t) => {
  const { asked } = serve()
  t.equal((await asked('maker', 'PUT', '/2/instances/web/startup')).json, 1)
  t.equal((await asked('all', 'PUT', '/2/instances/web/startup')).json, 2)
  t.match((await asked('maker', 'GET', '/2/jobs')).json, [{ id: 1 }])
  t.equal((await asked('maker', 'GET', '/2/jobs/1')).status, 200)
  t.equal((await asked('maker', 'GET', '/2/jobs/2')).status, 404)
})
