/**
 * Version 1.2 of the API: the sample cluster holds what its documentation had
 * as examples, so those are what has to come out; and a real cluster of today,
 * where every word is younger than that API.
 */
import { readFileSync } from 'node:fs'
import t from 'tap'
import type { Backend } from '../../lib/backend/backend.ts'
import { configFileBackend } from '../../lib/backend/config-file/config-file-backend.ts'
import type { Json, JsonObject } from '../../lib/json/json.ts'
import { NEWEST } from '../../lib/model/version.ts'
import { QueryString } from '../../lib/resources/query-string.ts'
import { plainAnswer } from '../../lib/resources/resource.ts'
import { resources } from '../../lib/resources/table.ts'
import { parseConfig } from '../support/read-cluster.ts'
import { readRealCluster } from '../support/real-cluster.ts'

const text = readFileSync(new URL('../../../test/fixtures/cluster.yaml', import.meta.url), 'utf8')
const config = parseConfig(text, { name: 'cluster.yaml' })
const sample = configFileBackend(() => config)
const { running, unreachable } = await readRealCluster()
const real = configFileBackend(() => running)
const silent = configFileBackend(() => unreachable)

/** What a resource answers; `name` is what its path names. */
async function get(backend: Backend, path: string, name = '', query = ''): Promise<Json> {
  const method = resources.find((resource) => resource.path === path)?.methods.GET
  if (!method) throw new Error(`no GET ${path}`)
  const call = {
    params: { instance_name: name, node_name: name },
    query: new QueryString(query),
    body: undefined,
    user: undefined,
    backend,
    patience: 0,
    signal: new AbortController().signal,
  }
  return plainAnswer(await method.handle(call))
}

const instance = async (backend: Backend, name: string) =>
  (await get(backend, '/instances/{instance_name}', name)) as JsonObject
const node = async (backend: Backend, name: string) =>
  (await get(backend, '/nodes/{node_name}', name)) as JsonObject

t.test('/ lists what has no resource above it', async (t) => {
  const names = ['2', 'info', 'instances', 'nodes', 'os', 'tags', 'version']
  t.strictSame(
    await get(sample, '/'),
    names.map((name) => ({ name, uri: `/${name}` })),
  )
})

t.test('/version is 2, as there is version 2 to be found', async (t) => {
  t.equal(await get(sample, '/version'), 2)
})

t.test('/info has the fields of old and the values of today', async (t) => {
  const { architecture, ...info } = (await get(sample, '/info')) as JsonObject
  t.strictSame(info, {
    name: 'cluster1.example.com',
    master: 'node1.example.com',
    software_version: NEWEST.text,
    protocol_version: NEWEST.number,
    config_version: NEWEST.number,
    os_api_version: 20,
    export_version: 0,
    hypervisor_type: 'xen-pvm',
  })
  t.match((architecture as readonly Json[])[0], /^(32|64)bit$/)
})

t.test('an instance is as the documentation has it', async (t) => {
  const web = await instance(sample, 'web.example.com')
  t.match(web, {
    status: 'running',
    bridge: 'xen-br0',
    name: 'web.example.com',
    tags: ['tag1', 'tag2'],
    admin_ram: 512,
    sda_size: 20480,
    pnode: 'node1.example.com',
    mac: '01:23:45:67:89:01',
    sdb_size: 4096,
    snodes: ['node2.example.com'],
    disk_template: 'drbd',
    ip: null,
    admin_state: true,
    os: 'debian-etch',
    vcpus: 2,
    oper_state: true,
  })
  t.match(web, {
    auto_balance: true,
    network_port: null,
    kernel_path: '/boot/vmlinuz-6-xenU',
    hvm_acpi: null,
  })
  t.equal(Object.keys(web).length, 27)
})

t.test('what an instance has none of is null', async (t) => {
  t.match(await instance(sample, 'router.example.com'), { sda_size: null, sdb_size: null, bridge: null })
  t.match(await instance(real, 'inst5.example.com'), { ip: null, mac: null, bridge: null, sda_size: null })
})

t.test('parameters of hardware virtualization are under their old names', async (t) => {
  t.match(await instance(real, 'inst10.example.com'), {
    kernel_path: '',
    initrd_path: '',
    hvm_boot_order: 'network',
    hvm_acpi: true,
    hvm_pae: null,
    hvm_cdrom_image_path: '',
    hvm_nic_type: 'paravirtual',
    hvm_disk_type: 'paravirtual',
    vnc_bind_address: '0.0.0.0',
  })
})

t.test('a status is one that version 1.2 knew', async (t) => {
  const cases: [backend: Backend, name: string, today: string, then: JsonObject][] = [
    [sample, 'web.example.com', 'running', { status: 'running', admin_state: true, oper_state: true }],
    [
      sample,
      'windows.example.com',
      'ADMIN_down',
      { status: 'ADMIN_down', admin_state: false, oper_state: false },
    ],
    [sample, 'retired.example.com', 'ADMIN_offline', { status: 'ADMIN_down', admin_state: false }],
    [sample, 'ghost.example.com', 'ERROR_nodeoffline', { status: 'ERROR_nodedown', oper_state: null }],
    [silent, 'inst1.example.com', 'ERROR_nodedown', { status: 'ERROR_nodedown', oper_state: null }],
  ]
  for (const [backend, name, today, then] of cases) {
    t.strictSame(await backend.queryInstances([name], ['status']), [[today]])
    t.match(await instance(backend, name), then, today)
  }
  // Only a running cluster, or one made so, has these.
  for (const [today, then] of [
    ['USER_down', 'ADMIN_down'],
    ['ERROR_wrongnode', 'ERROR_down'],
    ['ERROR_down', 'ERROR_down'],
    ['ERROR_up', 'ERROR_up'],
  ] as const) {
    const queryInstances: Backend['queryInstances'] = async (_, fields) => [
      fields.map((field) => (field === 'status' ? today : null)),
    ]
    t.match(await instance({ ...sample, queryInstances }, 'x'), { status: then }, today)
  }
})

t.test('a node is as the documentation has it', async (t) => {
  t.strictSame(await node(sample, 'node2.example.com'), {
    name: 'node2.example.com',
    dtotal: 5246208,
    dfree: 5000960,
    mtotal: 32763,
    mnode: 1024,
    mfree: 29691,
    pinst_cnt: 2,
    sinst_cnt: 1,
    tags: ['rack-a', 'ssd'],
    ctotal: 8,
    cnodes: 2,
    csockets: 2,
  })
  t.match(await node(sample, 'node5.example.com'), { mtotal: null, dfree: null, pinst_cnt: 1 })
})

t.test('lists have names and URIs, sorted, or with bulk all there is', async (t) => {
  for (const [path, name] of [
    ['/instances', '/instances/{instance_name}'],
    ['/nodes', '/nodes/{node_name}'],
  ] as const) {
    for (const backend of [sample, real]) {
      const list = (await get(backend, path)) as readonly { name: string; uri: string }[]
      const names = list.map((one) => one.name)
      t.strictSame(names, [...names].sort(), `${path} is sorted`)
      for (const one of list) t.equal(one.uri, `${path}/${one.name}`)
      for (const query of ['bulk=1', 'bulk=true']) {
        const all = (await get(backend, path, '', query)) as readonly { name: string }[]
        t.equal(all.length, list.length)
        for (const one of all) t.strictSame(one, await get(backend, name, one.name))
      }
      for (const query of ['bulk=0', 'bulk=false', 'bulk='])
        t.strictSame(await get(backend, path, '', query), list)
      await t.rejects(get(backend, path, '', 'bulk=yes'), { code: 'invalid' })
    }
  }
})

t.test('tags are listed, sorted', async (t) => {
  t.strictSame(await get(sample, '/tags'), ['production', 'site:berlin'])
  t.strictSame(await get(sample, '/nodes/{node_name}/tags', 'node2'), ['rack-a', 'ssd'])
  t.strictSame(await get(sample, '/instances/{instance_name}/tags', 'web'), ['tag1', 'tag2'])
})

t.test('OSes are those one can install, by variant', async (t) => {
  t.strictSame(await get(sample, '/os'), ['debian+bookworm', 'debian+trixie', 'debian-etch', 'windows'])
})

t.test('what there is not is not found', async (t) => {
  await t.rejects(instance(sample, 'nosuch'), { code: 'not-found' })
  await t.rejects(node(sample, 'nosuch'), { code: 'not-found' })
  await t.rejects(get(sample, '/nodes/{node_name}/tags', 'nosuch'), { code: 'not-found' })
  await t.rejects(get(sample, '/instances/{instance_name}/tags', 'nosuch'), { code: 'not-found' })
})
