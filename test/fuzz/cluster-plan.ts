/**
 * What a made cluster file says, before anybody thinks of how it is written:
 * small clusters that are right, with names and values that are hard on YAML.
 */
import type { Json } from '../../lib/json/json.ts'
import type { Random } from './random.ts'

/** An object in the order in which it is to be written. */
export type Plan = Json | Plan[] | Map<string, Plan>

/** Keys and values that a client may choose, and a YAML file has to keep. */
export const ODD_TEXTS: readonly string[] = [
  ...[
    '<<',
    '__proto__',
    'constructor',
    'toString',
    '',
    ' ',
    '1',
    '012',
    '1.10',
    '0x1F',
    '1_000',
    '1e3',
    '.inf',
  ],
  ...['yes', 'no', 'on', 'off', 'true', 'null', '~', 'y', 'n', '12:30:45', '52:54:00:12:34:56', '2024-01-02'],
  ...[
    'a: b',
    'a #b',
    '# c',
    '- d',
    '? e',
    '&f',
    '*g',
    '!h',
    '%i',
    '@j',
    '`k',
    '{l}',
    '[m]',
    ', n',
    '|',
    '>',
    '=',
  ],
  ...[
    '"',
    "'",
    "it's",
    'say "so"',
    '\\',
    '\t',
    'a\nb',
    'a\n\n b\n',
    '\x7f',
    '\x1b[0m',
    '\u0085',
    '\u2028',
    '\ufeff',
  ],
  ...[
    'jörg',
    '漢字',
    '\u{1f600}',
    '---',
    '...',
    '--- a',
    '%YAML 1.1',
    ' lead',
    'trail ',
    'a'.repeat(200),
    '$A{b}',
  ],
  'words that are many enough to be folded into several lines wherever a writer thinks that eighty are too many',
]

const PLAIN = ['mirror', 'size', 'http_proxy', 'release', 'b.c', 'x-y']
const WORDS = ['bookworm', 'http://deb.example.com/', 'en_US.UTF-8', 'a b c', 'x', '7', 'UTC']

/** A key or value: mostly a usual one. */
export function text(random: Random, usual: readonly string[], oddity = 0.3): string {
  return random.chance(oddity) ? random.pick(ODD_TEXTS) : random.pick(usual)
}

export function textMap(random: Random, most: number): Map<string, Plan> {
  return new Map(random.several(1 + random.below(most), () => [text(random, PLAIN), text(random, WORDS)]))
}

const TAGS = [
  'web',
  'site:berlin',
  '2024',
  'true',
  'a+b',
  'x@y.z',
  '007',
  'null',
  'rack-a',
  '1.10',
  'yes',
  'on',
]

export function tagList(random: Random, most = 3): string[] {
  return [...new Set(random.several(random.below(most + 1), () => random.pick(TAGS)))]
}

/** Adds some of these, in any order. */
function some(
  random: Random,
  probability: number,
  choices: readonly (readonly [string, () => Plan])[],
): Map<string, Plan> {
  const chosen = choices.filter(() => random.chance(probability))
  return new Map(shuffled(random, chosen).map(([key, make]) => [key, make()]))
}

export function shuffled<T>(random: Random, from: readonly T[]): T[] {
  const all = [...from]
  for (let at = all.length - 1; at > 0; at--) {
    const other = random.below(at + 1)
    ;[all[at], all[other]] = [all[other] as T, all[at] as T]
  }
  return all
}

/** A whole file, by outermost key. */
export function planCluster(random: Random): Map<string, Plan> {
  const groups = random.chance(0.6)
    ? ['default', ...['g2', 'Grüne', '<<', '12', 'yes'].slice(0, random.below(4))]
    : []
  const networks = random
    .several(random.below(3), () => 0)
    .map((_, index) => ['lan', '0x10'][index] as string)
  const nodes = random.several(1 + random.below(5), () => 0).map((_, index) => `n${index + 1}.example.com`)
  const context: Context = { random, groups, networks, nodes, count: 0 }
  const sections: [string, () => Plan | undefined][] = [
    ['cluster', () => planSettings(context)],
    [
      'groups',
      () => (groups.length > 0 ? new Map(groups.map((name) => [name, planGroup(context)])) : undefined),
    ],
    [
      'networks',
      () =>
        networks.length > 0
          ? new Map(networks.map((name, index) => [name, planNetwork(context, index)]))
          : undefined,
    ],
    ['nodes', () => new Map(nodes.map((name, index) => [name, planNode(context, index)]))],
    ['instances', () => planInstances(context)],
    [
      'filters',
      () => (random.chance(0.3) ? random.several(random.below(3), () => planFilter(random)) : undefined),
    ],
    ['os', () => (random.chance(0.5) ? planOses(random) : undefined)],
  ]
  const order = random.chance(0.3) ? shuffled(random, sections) : sections
  const file = new Map<string, Plan>()
  for (const [key, make] of order) {
    const plan = make()
    if (plan !== undefined) file.set(key, plan)
  }
  return file
}

interface Context {
  readonly random: Random
  readonly groups: readonly string[]
  readonly networks: readonly string[]
  readonly nodes: readonly string[]
  /** Of addresses given away. */
  count: number
}

function planSettings({ random }: Context): Plan {
  return new Map<string, Plan>([
    ['name', 'c.example.com'],
    ['hypervisor', 'kvm'],
    ...shuffled(random, [
      ['enabled_hypervisors', ['kvm', 'xen-pvm']],
      ['enabled_disk_templates', ['plain', 'file', 'drbd', 'diskless']],
    ] as [string, Plan][]),
    ...some(random, 0.25, [
      ['ctime', () => 1_600_000_000],
      [
        'beparams',
        () =>
          new Map<string, Plan>([
            ['memory', '256m'],
            ['vcpus', 1],
          ]),
      ],
      ['osparams', () => new Map<string, Plan>([['debian', textMap(random, 3)]])],
      [
        'os_hvp',
        () =>
          new Map<string, Plan>([['debian', new Map([['kvm', new Map<string, Plan>([['acpi', false]])]])]]),
      ],
      ['hvparams', () => new Map<string, Plan>([['kvm', new Map<string, Plan>([['kernel_path', '']])]])],
      ['tags', () => tagList(random)],
      ['candidate_pool_size', () => 3],
      ['hidden_os', () => ['windows']],
      ['default_iallocator_params', () => textMap(random, 2)],
      ['mac_prefix', () => 'aa:00:00'],
    ]),
  ])
}

function planGroup({ random, networks }: Context): Plan {
  return some(random, 0.4, [
    ['alloc_policy', () => random.pick(['preferred', 'last_resort'])],
    ['tags', () => tagList(random)],
    ['ndparams', () => new Map<string, Plan>([['oob_program', '/bin/oob']])],
    [
      'networks',
      () =>
        new Map(
          networks.map((name) => [
            name,
            new Map<string, Plan>([
              ['mode', 'bridged'],
              ['link', 'br0'],
            ]),
          ]),
        ),
    ],
  ])
}

function planNetwork({ random }: Context, index: number): Plan {
  return new Map<string, Plan>([
    ['network', `198.51.${100 + index}.0/24`],
    ...some(random, 0.4, [
      ['gateway', () => `198.51.${100 + index}.1`],
      ['mac_prefix', () => 'aa:bb:cc'],
      ['tags', () => tagList(random)],
      ['reserved', () => [`198.51.${100 + index}.9`, `198.51.${100 + index}.20-198.51.${100 + index}.29`]],
    ]),
  ])
}

function planNode({ random, groups }: Context, index: number): Plan {
  return new Map<string, Plan>([
    ...(random.chance(0.7) ? ([['primary_ip', `192.0.2.${index + 1}`]] as const) : []),
    ...some(random, index === 0 ? 0.7 : 0.5, [
      ['memory', () => random.pick(['64g', 65536])],
      ['disk', () => '9t'],
      ['cpus', () => 64],
    ]),
    ...(groups.length > 1 && random.chance(0.4) ? [['group', random.pick(groups)] as const] : []),
    ...(index > 1 && random.chance(0.15) ? [['offline', true] as const] : []),
    ...some(random, 0.15, [
      ['tags', () => tagList(random)],
      ['ndparams', () => new Map<string, Plan>([['ssh_port', 2222]])],
    ]),
  ])
}

function planInstances(context: Context): Plan | undefined {
  const { random } = context
  const count = random.below(7)
  if (count === 0 && random.chance(0.5)) return undefined
  const made: Map<string, Plan>[] = []
  for (let index = 0; index < count; index++) {
    const like = made.length > 0 && random.chance(0.4) ? random.pick(made) : undefined
    const own = planInstance(context)
    // Nothing that there may be only once is taken over.
    const common = [...(like ?? [])].filter(([key]) => !ONCE.has(key))
    made.push(
      like ? new Map([...common, ...[...own].filter(([key]) => ONCE.has(key) || random.chance(0.4))]) : own,
    )
  }
  for (const one of made) settleDisks(one, context.nodes.length > 1)
  const names = shuffled(random, ['a', 'b', 'db.example.com', 'web-1', '9.example.com', 'z.example.com', '3'])
  return new Map(made.map((one, index) => [names[index] as string, one]))
}

const ONCE = new Set(['nics', 'disks', 'network_port'])

function planInstance(context: Context): Map<string, Plan> {
  const { random, nodes } = context
  return new Map<string, Plan>([
    ...(random.chance(0.6) ? [['os', random.pick(['debian', 'debian+trixie', 'noop'])] as const] : []),
    ['pnode', random.pick(nodes)],
    ...some(random, 0.35, [
      ['disk_template', () => random.pick(['plain', 'file', 'drbd'])],
      ['memory', () => random.pick([128, '1g', '512m'])],
      ['vcpus', () => 1 + random.below(3)],
      ['state', () => random.pick(['up', 'down', 'offline'])],
      ['osparams', () => textMap(random, 3)],
      [
        'hvparams',
        () =>
          new Map<string, Plan>(
            [
              ['acpi', false],
              ['kernel_path', ''],
            ].filter(() => random.chance(0.7)) as [string, Plan][],
          ),
      ],
      ['tags', () => tagList(random)],
      ['hypervisor', () => 'kvm'],
    ]),
    ['disks', random.several(random.below(4), () => planDisk(random))],
    ['nics', random.several(random.below(3), () => planNic(context))],
    ...(random.chance(0.1) ? [['network_port', 11_500 + context.count++] as const] : []),
  ])
}

/** A template and its disks agree, and so do it and the second node. */
function settleDisks(instance: Map<string, Plan>, mirrors: boolean): void {
  if (!mirrors && instance.get('disk_template') === 'drbd') instance.set('disk_template', 'plain')
  const disks = instance.get('disks') as Plan[]
  const template = instance.get('disk_template')
  if (disks.length === 0) instance.delete('disk_template')
  if (template === 'drbd' && disks.length > 0) {
    const second = instance.get('pnode') === 'n1.example.com' ? 'n2.example.com' : 'n1.example.com'
    instance.set('snode', second)
  } else instance.delete('snode')
  if (disks.length === 0 && instance.size % 2 === 0) instance.delete('disks')
  if ((instance.get('nics') as Plan[]).length === 0) instance.delete('nics')
}

function planDisk(random: Random): Plan {
  const size = random.pick(['1g', '512m', 1024, '2g'])
  if (random.chance(0.4)) return size
  return new Map<string, Plan>([
    ['size', size],
    ...some(random, 0.4, [
      ['name', () => text(random, ['root', 'data'], 0.1).slice(0, 20) || 'x'],
      ['mode', () => random.pick(['rw', 'ro'])],
    ]),
  ])
}

function planNic(context: Context): Plan {
  const { random } = context
  const mac = `52:54:00:12:34:${String(10 + (context.count++ % 89))}`
  return some(random, 0.6, [
    ['mac', () => (random.chance(0.5) ? mac : mac.replace('52:54', 'aa:00'))],
    ['link', () => random.pick(['br0', 'br1'])],
    ['mode', () => 'bridged'],
    ['name', () => random.pick(['eth', 'uplink'])],
  ])
}

function planFilter(random: Random): Plan {
  return new Map<string, Plan>([
    ...some(random, 0.6, [
      ['priority', () => random.below(5)],
      [
        'predicates',
        () =>
          [
            ['jobid', ['>', 'id', 3]],
            ['opcode', ['=', 'OP_ID', text(random, ['OP_TEST_DELAY'])]],
          ].slice(random.below(2)) as Plan[],
      ],
      ['action', () => random.pick(['PAUSE', ['RATE_LIMIT', 3], 'REJECT'] as Plan[])],
      ['reason', () => text(random, ['upgrade on Monday', 'too many'])],
    ]),
    ['watermark', random.below(3)],
  ])
}

function planOses(random: Random): Plan {
  const details = () =>
    some(random, 0.5, [
      ['variants', () => ['bookworm', 'trixie'] as Plan[]],
      ['valid', () => true],
      ['parameters', () => textMap(random, 2)],
    ])
  if (random.chance(0.5))
    return new Map<string, Plan>([
      ['debian', details()],
      ['noop', details()],
    ])
  return [
    'noop',
    random.chance(0.5) ? 'debian' : new Map([['name', 'debian'], ...details()] as [string, Plan][]),
  ]
}
