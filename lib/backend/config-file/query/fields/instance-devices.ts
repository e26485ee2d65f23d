/** Fields of the disks and NICs of instances: one for each device (`disk.size/0`), and one for all of them. */
import type { Json } from '../../../../json/json.ts'
import { orNull } from '../../../../model/check.ts'
import type { Config } from '../../../../model/config.ts'
import { filledNicParams } from '../../../../model/fill.ts'
import { type Disk, type Instance, MAX_DISKS, MAX_NICS, type Nic } from '../../../../model/instance.ts'
import type { NicParams } from '../../../../model/params.ts'
import { type Field, field, type NamedKind, optionalField } from './field.ts'
import { list, schemaOfKind } from './value-schemas.ts'

/** What there is to say of a disk or a NIC; it has a field for each device, and one for all of them. */
type DeviceValue<Device> = readonly [
  name: string,
  title: string,
  nameOfAll: string,
  titleOfAll: string,
  kind: NamedKind,
  what: string,
  value: (device: Device, config: Config) => Json,
]

const DISK_VALUES: readonly DeviceValue<Disk>[] = [
  ['name', 'DiskName', 'names', 'Disk_names', 'text', 'Name', ({ name }) => name],
  ['size', 'Disk', 'sizes', 'Disk_sizes', 'unit', 'Size', ({ size }) => size],
  ['spindles', 'DiskSpindles', 'spindles', 'Disk_spindles', 'number', 'Spindles', ({ spindles }) => spindles],
  ['uuid', 'DiskUUID', 'uuids', 'Disk_UUIDs', 'text', 'UUID', ({ uuid }) => uuid],
]

const NIC_VALUES: readonly DeviceValue<Nic>[] = [
  ['mac', 'NicMAC', 'macs', 'NIC_MACs', 'text', 'MAC address', ({ mac }) => mac],
  ['ip', 'NicIP', 'ips', 'NIC_IPs', 'text', 'IP address', ({ ip }) => ip],
  ['name', 'NicName', 'names', 'NIC_Names', 'text', 'Name', ({ name }) => name],
  ['uuid', 'NicUUID', 'uuids', 'NIC_UUIDs', 'text', 'UUID', ({ uuid }) => uuid],
  ['mode', 'NicMode', 'modes', 'NIC_modes', 'text', 'Mode', (nic, config) => linkOf(nic, config).mode],
  ['link', 'NicLink', 'links', 'NIC_links', 'text', 'Link', (nic, config) => linkOf(nic, config).link],
  [
    'bridge',
    'NicBridge',
    'bridges',
    'NIC_bridges',
    'text',
    'Bridge (in bridged mode)',
    (nic, config) => {
      const { mode, link } = linkOf(nic, config)
      return mode === 'bridged' ? link : null
    },
  ],
  [
    'vlan',
    'NicVLAN',
    'vlans',
    'NIC_VLANs',
    'text',
    'VLAN (in Open vSwitch mode)',
    (nic, config) => {
      const { mode, vlan } = linkOf(nic, config)
      return mode === 'openvswitch' ? vlan : null
    },
  ],
  [
    'network',
    'NicNetwork',
    'networks',
    'NIC_networks',
    'text',
    'UUID of the network',
    ({ network }) => network,
  ],
  [
    'network.name',
    'NicNetworkName',
    'networks.names',
    'NIC_networks_names',
    'text',
    'Name of the network',
    ({ network }, { networks }) => (network === null ? null : (networks.byUuid.get(network)?.name ?? null)),
  ],
]

function linkOf(nic: Nic, { cluster }: Config): NicParams {
  return filledNicParams(cluster, nic)
}

function fieldsOf<Device>(
  prefix: string,
  noun: string,
  most: number,
  devicesOf: (instance: Instance) => readonly Device[],
  values: readonly DeviceValue<Device>[],
): Field<Instance>[] {
  return values.flatMap(([name, title, nameOfAll, titleOfAll, kind, what, value]) => [
    field<Instance>(
      `${prefix}.${nameOfAll}`,
      titleOfAll,
      list(orNull(schemaOfKind(kind))),
      `${what} of each ${noun}`,
      (instance, config) => devicesOf(instance).map((device) => value(device, config)),
    ),
    ...Array.from({ length: most }, (_, place) =>
      optionalField<Instance>(
        `${prefix}.${name}/${place}`,
        `${title}/${place}`,
        kind,
        `${what} of ${noun} ${place}`,
        (instance, config) => {
          const device = devicesOf(instance)[place]
          return device && value(device, config)
        },
      ),
    ),
  ])
}

export const deviceFields: readonly Field<Instance>[] = [
  ...fieldsOf('disk', 'disk', MAX_DISKS, ({ disks }) => disks, DISK_VALUES),
  ...fieldsOf('nic', 'NIC', MAX_NICS, ({ nics }) => nics, NIC_VALUES),
]
