import t from 'tap'
import { writeChange } from '../../../../../lib/backend/config-file/yaml/write/write-change.ts'
import type { Change } from '../../../../../lib/model/change.ts'
import type { Config } from '../../../../../lib/model/config.ts'
import type { Group } from '../../../../../lib/model/group.ts'
import { ofInstance, readText, textAfter } from '../../../../support/edited-text.ts'
import { told } from '../../../../support/live-cluster.ts'

/** Times stand here, so that they are not added. */
const HEAD = `cluster: {name: c.example.com, hypervisor: kvm, enabled_hypervisors: [kvm], enabled_disk_templates: [plain], ctime: 1, mtime: 2}
nodes: {n1: &n {primary_ip: 192.0.2.1, memory: 32g, disk: 5t, cpus: 8}, n2: {<<: *n, primary_ip: 192.0.2.2}}
`

const down = ofInstance('a', () => ({ admin_state: 'down', disks_active: false }))

const changes: {
  readonly title: string
  readonly text: string
  readonly change: (config: Config) => Change
  readonly result: string
}[] = [
  {
    title: 'a dependent says for itself what it would inherit otherwise; other aliases stay',
    text: 'instances:\n  # one\n  a: &a\n    pnode: n1\n    state: up # always\n    beparams: &be {vcpus: 2}\n  b:\n    <<: *a # like a\n    memory: 256\n  c: {pnode: n2, beparams: *be}\n',
    change: down,
    result:
      'instances:\n  # one\n  a: &a\n    pnode: n1\n    state: down # always\n    beparams: &be {vcpus: 2}\n  b:\n    <<: *a # like a\n    memory: 256\n    state: up\n  c: {pnode: n2, beparams: *be}\n',
  },
  {
    title: 'where a key must not be there, the one merge that has it is written out',
    text: 'instances:\n  a: &a {pnode: n1}\n  x: &x {pnode: n2, vcpus: 2}\n  b: {<<: [*x, *a], memory: 256}\n  c: {<<: *a}\n',
    change: ofInstance('a', () => ({ tags: ['t'] })),
    result:
      'instances:\n  a: &a {pnode: n1, tags: [t]}\n  x: &x {pnode: n2, vcpus: 2}\n  b: {<<: [*x], memory: 256}\n  c: {pnode: n1}\n',
  },
  {
    title: 'what others took from an object that goes is written into them',
    text: 'instances:\n  # goes\n  a: &a {os: noop, pnode: n1, vcpus: 3}\n  x: &x {pnode: n2, memory: 1g}\n  b: {<<: *a, memory: 256}\n  c:\n    <<: [*a, *x]\n    vcpus: 2\n  d: {<<: *x}\n',
    change: ofInstance('a', null),
    result:
      'instances:\n  x: &x {pnode: n2, memory: 1g}\n  b: {memory: 256, os: noop, pnode: n1, vcpus: 3}\n  c:\n    <<: [*x]\n    vcpus: 2\n    os: noop\n    pnode: n1\n  d: {<<: *x}\n',
  },
  {
    title: 'what others took from a value that goes is written into the first of them',
    text: 'instances:\n  a: {pnode: n1, osparams: &o {k: v}}\n  b: {pnode: n1, osparams: *o}\n',
    change: ofInstance('a', () => ({ osparams: {} })),
    result: 'instances:\n  a: {pnode: n1}\n  b: {pnode: n1, osparams: {k: v}}\n',
  },
  {
    title: 'an anchored object can have another name',
    text: 'instances:\n  a: &a {pnode: n1, network_port: 11000, uuid: u} # the first\n  b: {<<: *a, network_port: 11001, uuid: w}\n',
    change: ofInstance('a', () => ({ name: 'z' })),
    result:
      'instances:\n  z: &a {pnode: n1, network_port: 11000, uuid: u} # the first\n  b: {<<: *a, network_port: 11001, uuid: w}\n',
  },
]

for (const { title, text, change, result } of changes) {
  t.test(`anchors: ${title}`, async (t) => {
    t.equal(textAfter(HEAD + text, change), HEAD + result)
  })
}

t.test('other texts that are edited as a whole', async (t) => {
  const tag = ofInstance('a', () => ({ tags: ['yes', 'x'] }))
  const cases: [title: string, text: string, change: (config: Config) => Change, result: string][] = [
    [
      'what is new comes before the mark for the end',
      `${HEAD}instances:\n  a: {pnode: n1}\n...\n# over\n`,
      ({ groups }) => ({
        groups: new Map([['u2', { ...(groups.all[0] as Group), uuid: 'u2', name: 'g2' }]]),
      }),
      `${HEAD}instances:\n  a: {pnode: n1}\ngroups:\n  default: {}\n  g2: {uuid: u2}\n...\n# over\n`,
    ],
    [
      'a file of YAML 1.1',
      `%YAML 1.1\n---\n${HEAD}instances:\n  a: {pnode: n1, hvparams: {acpi: no}}\n`,
      tag,
      `%YAML 1.1\n---\n${HEAD}instances:\n  a: {pnode: n1, hvparams: {acpi: no}, tags: ["yes", x]}\n`,
    ],
    [
      'tags with a name of their own',
      `%TAG !y! tag:yaml.org,2002:\n---\n${HEAD}instances:\n  a: {pnode: !y!str n1}\n`,
      tag,
      `%TAG !y! tag:yaml.org,2002:\n---\n${HEAD}instances:\n  a: {pnode: !y!str n1, tags: ["yes", x]}\n`,
    ],
    [
      'a section behind a question mark',
      `${HEAD}? instances\n: a: {pnode: n1}\n  b: {pnode: n1}\n`,
      ofInstance('a', null),
      `${HEAD}? instances\n: b: {pnode: n1}\n`,
    ],
    [
      'braces around all of it',
      `--- {cluster: {name: c, ctime: 1, mtime: 2}, # here\n  nodes: {n1: {}}, instances: {a: {pnode: n1}}}\n`,
      tag,
      `--- {cluster: {name: c, ctime: 1, mtime: 2}, # here\n  nodes: {n1: {}}, instances: {a: {pnode: n1, tags: ["yes", x]}}}\n`,
    ],
  ]
  for (const [title, text, change, result] of cases) t.equal(textAfter(text, change), result, title)
})

t.test('several changes, made into text beside the event loop', async (t) => {
  const start = readText(
    `${HEAD}instances:\n  a: &a {pnode: n1, network_port: 11000, uuid: u} # one\n  b: {<<: *a, network_port: 11001, uuid: w}\n`,
  )
  let { text, config } = start
  const steps = [
    ofInstance('a', () => ({ name: 'c' })),
    ofInstance('c', () => ({ name: 'd', osparams: { k: '<<' } })),
    ofInstance('b', null),
  ]
  for (const step of steps) ({ text, config } = writeChange(text, config, step(config)))
  await text.ready()
  t.equal(
    text.toString(),
    `${HEAD}instances:\n  d: &a {pnode: n1, network_port: 11000, uuid: u, osparams: {k: "<<"}} # one\n`,
  )
  t.equal(text.toBytes().toString(), text.toString())
  t.strictSame(told(readText(text.toString()).config), told(config))
  t.not(start.text.toString(), text.toString(), 'the state before is what it was')
})

t.test('what cannot be written is told by the thread, too', async (t) => {
  const { text, config } = readText(`${HEAD}instances:\n  a: {pnode: n1}\n`)
  const bad = text.changed({
    keys: new Map([['os', [Number.NEGATIVE_INFINITY]]]),
    entries: new Map(),
    renamed: new Map(),
  })
  await t.rejects(bad.ready(), { code: 'internal' })
  t.throws(() => bad.toString(), { code: 'internal' })
  t.ok(config)
})
