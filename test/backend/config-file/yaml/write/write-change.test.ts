import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { makeYamlText } from '../../../../../lib/backend/config-file/yaml/document/make-yaml-text.ts'
import type { YamlText } from '../../../../../lib/backend/config-file/yaml/document/yaml-text.ts'
import { readYamlText } from '../../../../../lib/backend/config-file/yaml/read/read-yaml.ts'
import { writeChange } from '../../../../../lib/backend/config-file/yaml/write/write-change.ts'
import { Failure } from '../../../../../lib/failure.ts'
import { isJsonObject, type Json } from '../../../../../lib/json/json.ts'
import type { Change } from '../../../../../lib/model/change.ts'
import { type Config, indexConfig } from '../../../../../lib/model/config.ts'
import type { Instance } from '../../../../../lib/model/instance.ts'
import { numbers, told } from '../../../../support/live-cluster.ts'
import { CHANGES } from '../../../../support/random-changes.ts'
import { parseConfig } from '../../../../support/read-cluster.ts'

const sample = readFileSync(new URL('../../../../../../test/fixtures/cluster.yaml', import.meta.url), 'utf8')

const small = `
cluster: {name: c.example.com}
nodes:
  n1.example.com: {memory: 8g, disk: 100g}
  n2.example.com: {memory: 8g, disk: 100g}
  n3.example.com: {}
instances:
  a1.example.com: {pnode: n1.example.com, disks: [1g], nics: [{}]}
  a2.example.com: {pnode: n2.example.com, snode: n1.example.com, disks: [1g, 2g], hypervisor: kvm}
`

const aliased = `
cluster: {name: c.example.com}
nodes:
  n1.example.com: &hw
    # both alike
    memory: 8g
    disk: 100g
  n2.example.com:
    <<: *hw
  n3.example.com: {}
instances:
  a1.example.com: &a {pnode: n1.example.com, disks: &d [1g], nics: [{}]}
  a2.example.com:
    <<: *a
    nics: []
    snode: n2.example.com
    hypervisor: kvm
  a3.example.com: {pnode: n2.example.com, disks: *d}
...
`

function read(text: string, mtime = 1_790_000_000): { text: YamlText; config: Config } {
  const { objects, cuts } = readYamlText(text, { name: 'cluster.yaml', mtime })
  return { text: makeYamlText(text, cuts), config: indexConfig(objects) }
}

/** What a text says, where no order matters. */
function sorted(text: YamlText): Json {
  const sort = (value: Json | undefined): Json =>
    isJsonObject(value)
      ? Object.fromEntries(
          Object.keys(value)
            .sort()
            .map((key) => [key, sort(value[key])]),
        )
      : (value ?? null)
  return sort(text.value())
}

for (const [name, start] of Object.entries({ sample, small, aliased })) {
  t.test(`whatever changes in the ${name} file, reading it gives what is held`, async (t) => {
    const random = numbers(name.length)
    const makers = Object.entries(CHANGES)
    const done = new Map<string, number>()
    let { text, config } = read(start)
    for (let step = 0; step < 120; step++) {
      const [title, make] = makers[Math.floor(random() * makers.length)] as (typeof makers)[number]
      const change = make(config, random)
      if (!change) continue
      const before = text.toString()
      try {
        ;({ text, config } = writeChange(text, config, change))
      } catch (error) {
        // A change may contradict the rest of the file; then nothing has come of it.
        if (error instanceof Failure && error.code !== 'internal') continue
        t.comment(before)
        t.comment(change)
        throw error
      }
      done.set(title, (done.get(title) ?? 0) + 1)
      const written = text.toString()
      // Another time of the file must not matter.
      const again = read(written, 1_799_999_999)
      if (!isDeepStrictEqual(told(again.config), told(config))) {
        t.strictSame(told(again.config), told(config), `step ${step}: ${title}`)
        t.comment(before)
        t.comment(written)
        return
      }
      if (!isDeepStrictEqual(sorted(again.text), sorted(text))) {
        t.strictSame(sorted(again.text), sorted(text), `step ${step}: what the text says is known`)
        return
      }
    }
    t.ok(done.size > makers.length / 2, `${done.size} kinds of changes were tried`)
  })
}

t.test('a text that is not changed stays the same to the last character', async (t) => {
  t.equal(read(sample).text.toString(), sample)
  t.equal(parseConfig(sample, { name: 'x' }).instances.all.length, 8)
})

t.test('nodes that do not name their group stay in it, whatever groups come or are called', async (t) => {
  const { text, config } = read('cluster: {name: c}\nnodes: {n1: {}}\n')
  const [group] = config.groups.all
  if (!group) throw new Error('there is always a group')
  const second = { ...group, uuid: 'u2', name: 'second' }
  const renamed = { ...group, name: 'first' }
  const two = writeChange(text, config, { groups: new Map([[second.uuid, second]]) })
  const called = writeChange(two.text, two.config, { groups: new Map([[group.uuid, renamed]]) })
  for (const { text: written, config: held } of [two, called]) {
    const again = read(written.toString()).config
    t.strictSame(told(again), told(held))
    t.equal(again.nodes.all[0]?.group, group.uuid)
  }
})

t.test('a number that gave way to another stays when that one goes', async (t) => {
  // By order in the file: where two names lead to the same number, the second has the next.
  const given = (name: string, ...[from]: readonly Instance[]) => {
    const port = from?.network_port ?? null
    const mac = from?.nics[0]?.mac
    return `  ${name}: {pnode: n1, disks: [1g], network_port: ${port}, nics: [{mac: "${mac}"}]}\n`
  }
  const plain = (name: string) => `  ${name}: {pnode: n1, disks: [1g], nics: [{}]}\n`
  const drbd = (name: string) => `  ${name}: {pnode: n1, snode: n2, disks: [1g, 2g]}\n`
  const cluster = (instances: string) =>
    `cluster: {name: c, enabled_disk_templates: [plain, drbd]}\nnodes: {n1: {}, n2: {}}\ninstances:\n${instances}`
  const alone = (instances: string) => read(cluster(instances)).config.instances.all as Instance[]
  const [b] = alone(plain('b'))
  const [d] = alone(drbd('d'))
  if (!b || !d) throw new Error('these are instances')
  const [, , port, minor, otherMinor, secret] = d.disks[1]?.logical_id ?? []
  const device = `[n1, n2, ${port}, ${minor}, ${otherMinor}, ${secret}]`
  const cases: { readonly [title: string]: string } = {
    'the port of a console and the MAC of a card': given('a', b) + plain('z') + plain('b'),
    'the port and the devices of DRBD': `  a: {pnode: n1, snode: n2, disks: [{size: 1g, logical_id: ${device}}]}\n${drbd('d')}`,
  }
  for (const [title, instances] of Object.entries(cases)) {
    const { text, config } = read(cluster(instances))
    const a = config.instances.byName.get('a')
    if (!a) throw new Error('it is there')
    const other = config.instances.byName.get(title.includes('DRBD') ? 'd' : 'b')
    t.notSame(other, title.includes('DRBD') ? d : b, `${title}: gave way`)
    const written = writeChange(text, config, { instances: new Map([[a.uuid, null]]) })
    t.strictSame(told(read(written.text.toString()).config), told(written.config), title)
  }
})

t.test('what the policy allows is not written where it follows from what is enabled', async (t) => {
  const { text, config } = read('cluster: {name: c}\nnodes: {n1: {}}\n')
  const added = read('cluster: {name: c}\nnodes: {n1: {}}\ninstances: {a: {pnode: n1, disks: [1g]}}\n')
  const [a] = added.config.instances.all
  if (!a) throw new Error('it is there')
  const written = writeChange(text, config, { instances: new Map([[a.uuid, a]]) })
  t.match(written.text.toString(), /enabled_disk_templates: \[drbd, plain\]/)
  t.notMatch(written.text.toString(), /ipolicy/)
  t.strictSame(told(read(written.text.toString()).config), told(written.config))
})

t.test('instances are read again only where what they say may mean something else', (t) => {
  const { config } = read(sample)
  const [node, group, network] = [config.nodes.all[0], config.groups.all[0], config.networks.all[0]]
  if (!node || !group || !network) throw new Error('the sample has all of these')
  const of = <T extends { readonly uuid: string }>(object: T, news: Partial<T>) =>
    new Map([[object.uuid, { ...object, ...news }]])
  const cluster = (news: Partial<Config['cluster']>) => ({ cluster: { ...config.cluster, ...news } })
  const cases: readonly [change: Change, areRead: boolean][] = [
    [cluster({ tags: ['a'], serial_no: 2 }), false],
    [cluster({ candidate_pool_size: 3 }), false],
    [cluster({ nicparams: { ...config.cluster.nicparams, link: 'br9' } }), true],
    [cluster({ mac_prefix: 'aa:00:01' }), true],
    [{ nodes: of(node, { tags: ['a'], mtime: 1_790_000_001 }) }, false],
    [{ nodes: of(node, { secondary_ip: '203.0.113.9' }) }, false],
    [{ nodes: of(node, { group: group.uuid }) }, true],
    [{ groups: of(group, { tags: ['a'] }) }, false],
    [{ groups: of(group, { alloc_policy: 'unallocable' }) }, false],
    [{ networks: of(network, { tags: ['a'] }) }, false],
    [{ networks: of(network, { mac_prefix: 'aa:bb:cd' }) }, true],
    [{ filters: new Map(config.filters.map((rule) => [rule.uuid, { ...rule, priority: 7 }])) }, false],
  ]
  for (const [change, areRead] of cases) {
    const { text } = read(sample)
    const section = text.section.bind(text)
    const seen = new Set<string>()
    text.section = (name) => {
      seen.add(name)
      return section(name)
    }
    const name = JSON.stringify(change, (_, value) => (value instanceof Map ? [...value.values()] : value))
    const written = writeChange(text, config, change)
    t.equal(seen.has('instances'), areRead, name)
    t.strictSame(told(read(written.text.toString()).config), told(written.config), name)
  }
  t.end()
})
