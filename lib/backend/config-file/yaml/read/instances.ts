/**
 * The instances of a YAML file, with their disks and NICs. Reading takes two
 * rounds: what the file does not give (MACs, ports, DRBD devices) is derived
 * only when everything it does give is known.
 */
import type { JsonObject } from '../../../../json/json.ts'
import { DISK_TEMPLATES, HYPERVISORS } from '../../../../model/defaults.ts'
import type { Instance } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import type { BeParams } from '../../../../model/params.ts'
import { WITH_PORT } from '../../../../model/unique-numbers.ts'
import { readOsParams } from '../../records/cluster-settings.ts'
import { readBeParams, readInstanceHvParams } from '../../records/params.ts'
import { type Problem, Problems, quoted } from '../../records/problems.ts'
import { checkHostName, type NamedRecord, NONE, RecordReader } from '../../records/record-reader.ts'
import { Identities } from '../../records/unique-ids.ts'
import type { Choices } from './cluster.ts'
import { type DiskContext, DiskReader } from './disks.ts'
import { type NicContext, NicReader } from './nics.ts'
import { keysOf } from './yaml-keys.ts'

/** What instances refer to. */
export interface InstanceContext extends Choices, NicContext, DiskContext {}

export class InstanceReader {
  readonly #context: InstanceContext
  readonly #disks: DiskReader
  readonly #nics: NicReader

  constructor(context: InstanceContext) {
    this.#context = context
    this.#disks = new DiskReader(context)
    this.#nics = new NicReader(context)
  }

  /** Reads all of them. */
  read(all: RecordReader): readonly Instance[] {
    const drafts = [...all.children()].map((fields) => this.#draft(fields))
    return drafts.map((draft) => this.#completed(draft))
  }

  #draft(fields: NamedRecord): Instance {
    const name = fields.key
    checkHostName(fields)
    const identity = this.#context.identities.of(fields, 'instance', name)
    const pnode = this.#node(fields, 'pnode', fields.text('pnode'))
    const snode = this.#node(fields, 'snode', fields.textOr('snode', ''))
    if (pnode && pnode === snode) fields.addProblem('snode', 'snode is the same node as pnode')
    if (pnode && !pnode.vm_capable) fields.addProblem('pnode', `${pnode.name} is not vm_capable`)
    const template = this.#template(fields)
    const hypervisor = this.#hypervisor(fields)
    const state = fields.oneOf('state', ['up', 'down', 'offline'], 'up')
    const port = fields.countOr('network_port', null)
    if (port !== null) this.#context.identities.claim(fields.at('network_port'), `port ${port}`, name)
    const instance: Instance = {
      ...identity,
      name,
      primary_node: pnode?.uuid ?? '',
      secondary_nodes: template === 'drbd' && snode ? [snode.uuid] : NONE,
      os: fields.textOr('os', ''),
      hypervisor,
      hvparams: readInstanceHvParams(fields.child('hvparams'), hypervisor),
      beparams: this.#beparams(fields),
      osparams: readOsParams(fields.child('osparams')),
      osparams_private: Object.keys(readOsParams(fields.child('osparams_private'))),
      admin_state: state,
      admin_state_source: fields.oneOf('admin_state_source', ['admin', 'user'], 'admin'),
      disk_template: template,
      disks: this.#disks.read(fields, {
        identity,
        name,
        template,
        pnode: pnode?.uuid ?? '',
        snode: snode?.uuid ?? '',
      }),
      disks_active: fields.flagOr('disks_active', state === 'up'),
      nics: fields.items('nics').map((nic, index) => this.#nics.read(nic, index, name, pnode)),
      network_port: port,
      forthcoming: false,
    }
    fields.rejectUnknownKeysOf(keysOf('instances'))
    return instance
  }

  #node(fields: RecordReader, key: string, name: string): Node | undefined {
    const node = this.#context.nodes.get(name)
    if (!node && name !== '') fields.addProblem(key, `no such node: ${quoted(name)}`)
    return node
  }

  #hypervisor(fields: RecordReader): string {
    const hypervisor = fields.oneOf('hypervisor', HYPERVISORS, this.#context.hypervisor)
    const enabled = this.#context.enabledHypervisors
    if (enabled.length > 0 && !enabled.includes(hypervisor)) {
      fields.addProblem('hypervisor', `${hypervisor} is not one of the cluster's enabled_hypervisors`)
    }
    return hypervisor
  }

  /** As written, or what follows from the rest; and whether the rest agrees. */
  #template(fields: RecordReader): string {
    const written = fields.oneOf('disk_template', DISK_TEMPLATES, undefined)
    const disks = fields.list('disks').length > 0
    const snode = fields.has('snode')
    const enabled = this.#context.enabledTemplates
    const usual = enabled.find((one) => one !== 'diskless' && one !== 'drbd') ?? 'plain'
    const template = written ?? (snode ? 'drbd' : disks ? usual : 'diskless')
    if (template === 'diskless' && disks) fields.addProblem('disks', 'a diskless instance has no disks')
    if (template !== 'diskless' && !disks) {
      const key = written === undefined ? 'snode' : 'disk_template'
      fields.addProblem(key, `an instance with disk_template ${template} needs disks`)
    }
    if (template === 'drbd' && !snode)
      fields.problems.add(fields, 'snode is missing: drbd needs a second node', 'key')
    if (template !== 'drbd' && snode)
      fields.addProblem('snode', `only drbd has a second node, and this is ${template}`)
    if (enabled.length > 0 && template !== 'diskless' && !enabled.includes(template)) {
      const key = written === undefined ? 'disks' : 'disk_template'
      fields.addProblem(key, `${template} is not one of the cluster's enabled_disk_templates`)
    }
    return template
  }

  #beparams(fields: RecordReader): Partial<BeParams> {
    const memory = fields.sizeOr('memory', undefined)
    const vcpus = fields.countOr('vcpus', undefined)
    const given = readBeParams(fields.child('beparams'))
    if (memory !== undefined && (given.maxmem !== undefined || given.minmem !== undefined)) {
      fields.addProblem('memory', 'memory is in beparams too')
    }
    if (vcpus !== undefined && given.vcpus !== undefined)
      fields.addProblem('vcpus', 'vcpus is in beparams too')
    const beparams = {
      ...(memory !== undefined && { maxmem: memory, minmem: memory }),
      ...(vcpus !== undefined && { vcpus }),
      ...given,
    }
    const filled = { ...this.#context.settings.beparams, ...beparams }
    // Where the cluster's own defaults are at odds, that is said of the cluster.
    const own = beparams.minmem !== undefined || beparams.maxmem !== undefined
    if (own && filled.minmem > filled.maxmem) {
      fields.addProblem('beparams', `minmem (${filled.minmem}) is above maxmem (${filled.maxmem})`)
    }
    return beparams
  }

  #completed(draft: Instance): Instance {
    const { identities } = this.#context
    const port = WITH_PORT.includes(draft.hypervisor)
      ? () => identities.freePort(draft.name, 'console')
      : () => null
    return {
      ...draft,
      network_port: draft.network_port ?? port(),
      disks: draft.disks.map((disk) => this.#disks.completed(disk, draft.name)),
      nics: draft.nics.map((nic, index) => this.#nics.completed(nic, draft.name, index)),
    }
  }
}

/**
 * Reads one instance by itself: MACs and ports that it does not give are those
 * that follow from its name, as if there were no other instances.
 */
export function readInstance(
  name: string,
  value: JsonObject,
  context: Omit<InstanceContext, 'identities'>,
  ctime: number,
): { instance: Instance; problems: readonly Problem[] } {
  const problems = new Problems(true)
  const all = new RecordReader({ [name]: value }, null, '', problems)
  const [instance] = new InstanceReader({ ...context, identities: new Identities(problems, ctime) }).read(all)
  return { instance: instance as Instance, problems: problems.found }
}
