/** The cluster's own settings in a YAML file, and what it lets its instances be. */
import { isIPv6 } from 'node:net'
import { isJsonObject } from '../../../../json/json.ts'
import type { Cluster } from '../../../../model/cluster.ts'
import {
  CLUSTER_DEFAULTS,
  DISK_TEMPLATE_PREFERENCE,
  DISK_TEMPLATES,
  HYPERVISORS,
  IPOLICY_DEFAULTS,
} from '../../../../model/defaults.ts'
import type { Instance } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import { isUnknown, NEWEST, OLDEST, type Version, versionFrom } from '../../../../model/version.ts'
import { type ClusterSettings, readClusterSettings } from '../../records/cluster-settings.ts'
import { andIs, quoted } from '../../records/problems.ts'
import { NONE, NOTHING, type RecordReader } from '../../records/record-reader.ts'
import type { Identities } from '../../records/unique-ids.ts'
import { readMacPrefix } from './networks.ts'

/** What instances may be, as far as the file says; empty lists where it does not. */
export interface Choices {
  /** The default one. */
  readonly hypervisor: string
  readonly enabledHypervisors: readonly string[]
  readonly enabledTemplates: readonly string[]
}

export class ClusterReader {
  /** The version of Ganeti that the daemon shall be taken for. */
  readonly version: Version
  readonly settings: ClusterSettings
  readonly #fields: RecordReader
  readonly #identities: Identities

  constructor(fields: RecordReader, identities: Identities) {
    this.#fields = fields
    this.#identities = identities
    this.version = readVersion(fields)
    this.settings = readClusterSettings(fields, this.version)
  }

  /** @param instances whose hypervisors and disk templates are enabled where the file does not say which are */
  read(
    choices: Choices,
    nodes: readonly Node[],
    master: Node | undefined,
    instances: readonly Instance[],
  ): Cluster {
    return {
      ...this.settings,
      ...this.#ownSettings(nodes),
      master_node: master?.uuid ?? '',
      ...this.#enabled(choices, instances),
    }
  }

  #ownSettings(nodes: readonly Node[]) {
    const fields = this.#fields
    const name = fields.textOr('name', '')
    if (!fields.has('name') || fields.value('name') === '') {
      fields.problems.add(fields, 'the cluster needs a name', 'key')
    }
    const masterIp = this.#identities.address(fields, 'master_ip', name)
    const ipVersion = this.#ipVersion([masterIp, ...nodes.map((node) => node.primary_ip)])
    const { beparams } = this.settings
    if (beparams.minmem > beparams.maxmem) {
      fields.addProblem('beparams', `minmem (${beparams.minmem}) is above maxmem (${beparams.maxmem})`)
    }
    return {
      ...this.#identities.of(fields, 'cluster', name),
      cluster_name: name,
      master_ip: masterIp,
      master_netmask: fields.countOr('master_netmask', ipVersion === 6 ? 128 : 32),
      primary_ip_version: ipVersion,
      mac_prefix: readMacPrefix(fields) ?? this.settings.mac_prefix,
    }
  }

  #ipVersion(addresses: readonly string[]): 4 | 6 {
    const given = this.#fields.countOr('primary_ip_version', undefined)
    if (given === 4 || given === 6) return given
    if (given !== undefined)
      this.#fields.addProblem('primary_ip_version', `primary_ip_version must be 4 or 6${andIs(given)}`)
    return isIPv6(addresses.find((address) => address !== '') ?? '') ? 6 : 4
  }

  choices(): Choices {
    const fields = this.#fields
    const enabledHypervisors = readSome(fields, 'enabled_hypervisors', HYPERVISORS)
    const enabledTemplates = readSome(fields, 'enabled_disk_templates', DISK_TEMPLATES)
    const written = fields.oneOf('hypervisor', HYPERVISORS, undefined)
    if (written !== undefined && enabledHypervisors.length > 0 && !enabledHypervisors.includes(written)) {
      fields.addProblem('hypervisor', `${written} is not one of enabled_hypervisors`)
    }
    const hypervisor = written ?? enabledHypervisors[0] ?? CLUSTER_DEFAULTS.enabled_hypervisors[0]
    return { hypervisor, enabledHypervisors, enabledTemplates }
  }

  /** What is enabled: as written, else what instances use and what a new cluster enables. */
  #enabled({ hypervisor, enabledHypervisors, enabledTemplates }: Choices, instances: readonly Instance[]) {
    const usedHypervisors = new Set([hypervisor, ...instances.map((instance) => instance.hypervisor)])
    const usedTemplates = new Set(instances.map((instance) => instance.disk_template))
    const inUse = DISK_TEMPLATE_PREFERENCE.filter((template) => usedTemplates.has(template))
    // Instances without a template of their own get the first one: rather one with disks.
    const withDisks = inUse.filter((template) => template !== 'diskless')
    const usual = [...new Set([...withDisks, ...CLUSTER_DEFAULTS.enabled_disk_templates, ...inUse])]
    const enabled = enabledTemplates.length > 0 ? enabledTemplates : usual
    const drbd = enabled.includes('drbd')
    const volumeGroup = drbd || enabled.includes('plain') ? CLUSTER_DEFAULTS.volume_group_name : null
    const helper = drbd ? CLUSTER_DEFAULTS.drbd_usermode_helper : null
    const { ipolicy } = this.settings
    // A new cluster's policy allows the templates that are enabled; htools take its first one to plan with.
    const hasTemplates = ipolicy['disk-templates'] !== IPOLICY_DEFAULTS['disk-templates']
    return {
      ipolicy: hasTemplates ? ipolicy : { ...ipolicy, 'disk-templates': enabled },
      // The default one comes first.
      enabled_hypervisors: [
        ...new Set([hypervisor, ...(enabledHypervisors.length > 0 ? enabledHypervisors : usedHypervisors)]),
      ],
      enabled_disk_templates: enabled,
      volume_group_name: (this.settings.volume_group_name ?? volumeGroup) || null,
      drbd_usermode_helper: this.#fields.textOr('drbd_usermode_helper', helper) || null,
    }
  }

  /** Seconds: a number, or an object of them by opcode. */
  jobTime(): { readonly [opcode: string]: number } {
    const fields = this.#fields
    if (!isJsonObject(fields.value('job_time'))) {
      const seconds = readSeconds(fields, 'job_time')
      return seconds > 0 ? { default: seconds } : NOTHING
    }
    const times = fields.child('job_time')
    return Object.fromEntries(
      times.keys().map((key) => {
        if (!/^(default|OP_[A-Z_]+)$/.test(key))
          times.addProblem(key, `${quoted(key)} is no opcode, nor default`)
        return [key, readSeconds(times, key)]
      }),
    )
  }
}

function readVersion(fields: RecordReader): Version {
  const written = fields.textOr('software_version', undefined)
  const version = written === undefined ? NEWEST : versionFrom(written)
  if (version && version.number >= OLDEST.number && !isUnknown(version)) return version
  fields.addProblem(
    'software_version',
    `software_version must be a version of Ganeti from 2.6 to 3.2, not ${quoted(written ?? '')}`,
  )
  return NEWEST
}

/** A list with values out of a few. */
function readSome(fields: RecordReader, key: string, choices: readonly string[]): readonly string[] {
  return fields.texts(key, NONE, (one) =>
    choices.includes(one) ? undefined : `${quoted(one)} is not one of ${choices.join(', ')}`,
  )
}

function readSeconds(fields: RecordReader, key: string): number {
  const seconds = fields.numberOr(key, 0)
  if (seconds < 0) fields.addProblem(key, `${key} must not be below zero`)
  return seconds
}
