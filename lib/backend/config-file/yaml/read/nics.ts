/** The NICs of instances in a YAML file. */
import { isIP } from 'node:net'
import { parseMac } from '../../../../model/address.ts'
import { NIC_MODES } from '../../../../model/defaults.ts'
import type { Group } from '../../../../model/group.ts'
import type { Nic } from '../../../../model/instance.ts'
import type { Node } from '../../../../model/node.ts'
import type { NicParams } from '../../../../model/params.ts'
import type { ClusterSettings } from '../../records/cluster-settings.ts'
import { readNicParams } from '../../records/params.ts'
import { quoted } from '../../records/problems.ts'
import type { RecordReader } from '../../records/record-reader.ts'
import type { Identities } from '../../records/unique-ids.ts'
import type { NicNetwork } from './networks.ts'
import { keysOf } from './yaml-keys.ts'

/** What NICs refer to: networks by name, groups by UUID. */
export interface NicContext {
  readonly identities: Identities
  readonly settings: ClusterSettings
  readonly groups: ReadonlyMap<string, Group>
  readonly networks: { get(name: string): NicNetwork | undefined }
}

export class NicReader {
  readonly #context: NicContext
  /** First halves of MACs, by the NIC's UUID. */
  readonly #macPrefixes = new Map<string, string>()

  constructor(context: NicContext) {
    this.#context = context
  }

  /** Reads one, with an empty MAC where it has none: see `completed`. */
  read(fields: RecordReader, index: number, owner: string, pnode: Node | undefined): Nic {
    const { identities, settings } = this.#context
    const network = this.#network(fields)
    const link = this.#link(fields)
    const nicparams = network ? this.#connection(fields, network, pnode, link) : link
    const ip = fields.textOr('ip', null)
    if (ip !== null) this.#checkIp(fields, ip, owner, network)
    else if (!network && (nicparams.mode ?? settings.nicparams.mode) === 'routed') {
      fields.problems.add(fields, 'ip is missing: a routed card needs one, or a network')
    }
    const nic: Nic = {
      uuid: identities.uuid(fields, 'nic', owner, String(index)),
      name: fields.textOr('name', null),
      mac: this.#mac(fields, owner),
      ip,
      network: network?.uuid ?? null,
      nicparams,
    }
    this.#macPrefixes.set(nic.uuid, network?.mac_prefix ?? settings.mac_prefix)
    fields.rejectUnknownKeysOf(keysOf('nics'))
    return nic
  }

  #network(fields: RecordReader): NicNetwork | undefined {
    const name = fields.textOr('network', undefined)
    if (name === undefined) return undefined
    const network = this.#context.networks.get(name)
    if (!network) fields.addProblem('network', `no such network: ${quoted(name)}`)
    return network
  }

  /** How a NIC in a network is linked: as the instance's group says, unless it says so itself. */
  #connection(
    fields: RecordReader,
    network: NicNetwork,
    pnode: Node | undefined,
    link: Partial<NicParams>,
  ): Partial<NicParams> {
    const group = pnode && this.#context.groups.get(pnode.group)
    const connection = group?.networks[network.uuid]
    if (group && !connection && link.mode === undefined) {
      fields.addProblem(
        'network',
        `group ${group.name}, where ${pnode.name} is, has no connection to ${network.name}`,
      )
    }
    return { ...connection, ...link }
  }

  #link(fields: RecordReader): Partial<NicParams> {
    const bridge = fields.textOr('bridge', undefined)
    const nicparams = readNicParams(fields)
    if (bridge === undefined) return nicparams
    if (fields.has('mode') || fields.has('link'))
      fields.addProblem('bridge', 'bridge says mode and link already')
    return { ...nicparams, mode: NIC_MODES[0] as 'bridged', link: bridge }
  }

  #checkIp(fields: RecordReader, ip: string, owner: string, network: NicNetwork | undefined): void {
    if (isIP(ip) === 0) fields.addProblem('ip', `${quoted(ip)} is not an address`)
    else if (network && !network.holds(ip))
      fields.addProblem('ip', `${ip} is not an address of ${network.name}`)
    else if (network) {
      // Elsewhere two instances may well have the same address, on links that do not meet.
      this.#context.identities.claim(fields.at('ip'), `address ${ip} of ${network.name}`, owner)
      network.give(ip)
    }
  }

  #mac(fields: RecordReader, owner: string): string {
    const text = fields.textOr('mac', '')
    if (text === '') return ''
    const mac = parseMac(text)
    if (mac === undefined) fields.addProblem('mac', `${quoted(text)} is not like aa:00:00:12:34:56`)
    else this.#context.identities.claim(fields.at('mac'), `mac ${mac}`, owner)
    return mac ?? ''
  }

  /** Gives a NIC without a MAC a free one; to be called when all instances are read. */
  completed(nic: Nic, owner: string, index: number): Nic {
    if (nic.mac !== '') return nic
    const { identities, settings } = this.#context
    const prefix = this.#macPrefixes.get(nic.uuid) ?? settings.mac_prefix
    return { ...nic, mac: identities.freeMac(prefix, owner, index) }
  }
}
