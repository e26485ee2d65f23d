import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import type { Json, JsonObject } from '../../../../../lib/json/json.ts'
import type { Config } from '../../../../../lib/model/config.ts'
import { anyTexts } from '../../../../support/any-text.ts'
import { numbers, told, WrittenCluster } from '../../../../support/live-cluster.ts'

const YAML = `cluster: {name: c.example.com, hypervisor: kvm, enabled_hypervisors: [kvm], enabled_disk_templates: [plain]}
groups: {default: {}}
nodes:
  n1.example.com: {memory: 32g, disk: 5t, cpus: 8}
networks: {lan: {network: 198.51.100.0/24}}
instances:
  a: {pnode: n1.example.com, os: noop, disks: [1g], nics: [{}]}
`

const instance = (params: JsonObject) => ({
  OP_ID: 'OP_INSTANCE_SET_PARAMS',
  instance_name: 'a',
  ignore_ipolicy: true,
  ...params,
})
const cluster = (params: JsonObject) => ({ OP_ID: 'OP_CLUSTER_SET_PARAMS', ...params })
const of = ({ instances }: Config) => instances.byName.get('a')

/** By what clients choose: opcodes that say it, and where it then is. */
const PLACES: {
  readonly [title: string]: {
    readonly opcode: (text: string) => JsonObject
    readonly at?: (config: Config, text: string) => unknown
    readonly meant?: (text: string) => unknown
  }
} = {
  'a key of osparams': {
    opcode: (text) => instance({ osparams: { [text]: 'v' } }),
    at: (config, text) => Object.entries(of(config)?.osparams ?? {}).find(([key]) => key === text)?.[1],
    meant: () => 'v',
  },
  'a value of osparams': {
    opcode: (text) => instance({ osparams: { k: text } }),
    at: (config) => of(config)?.osparams.k,
  },
  'a key of osparams_private': {
    opcode: (text) => instance({ osparams_private: { [text]: 'v' } }),
    at: (config, text) => of(config)?.osparams_private.find((key) => key === text),
  },
  'the name of an OS and its parameter': {
    opcode: (text) => cluster({ osparams: { [text]: { [text]: text } } }),
    at: ({ cluster: { osparams } }, text) =>
      Object.entries(Object.entries(osparams).find(([os]) => os === text)?.[1] ?? {}),
    meant: (text) => [[text, text]],
  },
  'the name of an OS and its hypervisor parameter': {
    opcode: (text) => cluster({ os_hvp: { [text]: { kvm: { kernel_args: text } } } }),
    at: ({ cluster: { os_hvp } }, text) => Object.entries(os_hvp).find(([os]) => os === text)?.[1],
    meant: (text) => ({ kvm: { kernel_args: text } }),
  },
  'parameters of the allocator': {
    opcode: (text) => cluster({ default_iallocator_params: { [text]: text } }),
    at: ({ cluster: { default_iallocator_params } }) => Object.entries(default_iallocator_params),
    meant: (text) => [[text, text]],
  },
  'hypervisor parameters': { opcode: (text) => instance({ hvparams: { kernel_args: text, [text]: text } }) },
  'backend parameters': { opcode: (text) => instance({ beparams: { [text]: 1 } }) },
  'the name of a disk': { opcode: (text) => instance({ disks: [['modify', 0, { name: text }]] }) },
  'a parameter of a disk': { opcode: (text) => instance({ disks: [['modify', 0, { [text]: text }]] }) },
  'the name of a card': { opcode: (text) => instance({ nics: [['modify', 0, { name: text }]] }) },
  'a tag': { opcode: (text) => ({ OP_ID: 'OP_TAGS_SET', kind: 'instance', name: 'a', tags: [text] }) },
  'the name of a group': { opcode: (text) => ({ OP_ID: 'OP_GROUP_ADD', group_name: text }) },
  'the new name of a group': {
    opcode: (text) => ({ OP_ID: 'OP_GROUP_RENAME', group_name: 'default', new_name: `x${text}` }),
  },
  'the name of a network': {
    opcode: (text) => ({ OP_ID: 'OP_NETWORK_ADD', network_name: text, network: '203.0.113.0/24' }),
  },
  'the new name of a network': {
    opcode: (text) => ({ OP_ID: 'OP_NETWORK_RENAME', network_name: 'lan', new_name: `x${text}` }),
  },
}

t.test('any text survives as whatever clients may choose, or is refused', async (t) => {
  const faults: string[] = []
  const written = new Set<string>()
  for (const text of anyTexts(3)) {
    const held = new WrittenCluster(YAML, numbers(1))
    for (const [title, { opcode, at, meant = () => text }] of Object.entries(PLACES)) {
      const { status, result } = held.run(opcode(text))
      const name = `${title}: ${JSON.stringify(text).slice(0, 60)}`
      if (status === 'success') written.add(title)
      // To say `default` is to take a parameter back.
      else if (at) faults.push(`${name} is refused: ${JSON.stringify(result)}`)
      if (!at || text === 'default') continue
      if (!isDeepStrictEqual(at(held.config, text), meant(text))) faults.push(`${name} is not held`)
    }
    if (!isDeepStrictEqual(told(held.reread()), told(held.config))) {
      faults.push(`${JSON.stringify(text).slice(0, 60)} is not read as it was written`)
    }
  }
  t.strictSame(faults, [])
  t.strictSame(
    Object.keys(PLACES).filter((title) => !written.has(title)),
    ['backend parameters', 'a parameter of a disk'],
    'the others are known by name, which none of these is',
  )
})

t.test('any text survives as the reason and the predicate of a filter rule', async (t) => {
  const faults: string[] = []
  for (const text of anyTexts(7)) {
    const held = new WrittenCluster(YAML, numbers(1))
    const rule = {
      uuid: 'f',
      watermark: 0,
      priority: 1,
      predicates: [['reason', ['=', 'reason', text]]],
      action: 'ACCEPT',
      reason_trail: [['gnt:user', text, 1] as Json],
    }
    held.apply({ filters: new Map([['f', rule]]) })
    if (!isDeepStrictEqual(told(held.reread()), told(held.config))) faults.push(JSON.stringify(text))
  }
  t.strictSame(faults, [])
})
