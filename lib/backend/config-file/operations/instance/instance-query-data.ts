/** Everything about instances in one answer, as `gnt-instance info` shows it. */
import type { Json, JsonObject } from '../../../../json/json.ts'
import { filledBeParams, filledHvParams, filledNicParams, filledOsParams } from '../../../../model/fill.ts'
import type { Disk, Instance, Nic } from '../../../../model/instance.ts'
import type { Network } from '../../../../model/network.ts'
import { findInstance, groupOf, nodeBehind } from '../shared/find.ts'
import { operation, type Run } from '../shared/run.ts'
import { devicePath } from './disks.ts'

/** A disk that is as it should be, by Ganeti's number. */
const DISK_OK = 1
/** What Linux numbers DRBD's devices under. */
const DRBD_MAJOR = 147

export const instanceQueryData = operation((run) => {
  if (!run.flag('static') && !run.flag('use_locking')) {
    run.warn('Non-static data requested, locks need to be acquired')
  }
  const names = run.list('instances').map(String)
  const instances =
    names.length > 0 ? names.map((name) => findInstance(run.config, name)) : run.config.instances.all
  if (run.isDry) return run.dryRun()

  return run.done({}, Object.fromEntries(instances.map((instance) => [instance.name, dataOf(run, instance)])))
})

function dataOf(run: Run, instance: Instance): JsonObject {
  const { config } = run
  const { cluster } = config
  const pnode = nodeBehind(config, instance.primary_node)
  const snodes = instance.secondary_nodes.map((uuid) => nodeBehind(config, uuid))
  if (pnode.offline) {
    run.warn(
      `Primary node ${pnode.name} is marked offline, returning static information only for instance ${instance.name}`,
    )
  }
  return {
    name: instance.name,
    config_state: instance.admin_state,
    run_state: run.flag('static') || pnode.offline ? null : runState(instance),
    pnode: pnode.name,
    pnode_group_uuid: pnode.group,
    pnode_group_name: groupOf(config, pnode).name,
    snodes: snodes.map(({ name }) => name),
    snodes_group_uuids: snodes.map(({ group }) => group),
    snodes_group_names: snodes.map((node) => groupOf(config, node).name),
    os: instance.os,
    nics: instance.nics.map((nic) => nicData(run, nic)),
    disk_template: instance.disk_template,
    disks: instance.disks.map((disk) => diskData(run, instance, disk, null)),
    hypervisor: instance.hypervisor,
    network_port: instance.network_port,
    hv_instance: instance.hvparams,
    hv_actual: filledHvParams(cluster, instance),
    be_instance: instance.beparams as JsonObject,
    be_actual: { ...filledBeParams(cluster, instance) },
    os_instance: instance.osparams,
    os_actual: filledOsParams(cluster, instance),
    serial_no: instance.serial_no,
    mtime: instance.mtime,
    ctime: instance.ctime,
    uuid: instance.uuid,
  }
}

function runState({ admin_state, admin_state_source }: Instance): string {
  return admin_state === 'down' && admin_state_source === 'user' ? 'user down' : admin_state
}

function nicData({ config }: Run, nic: Nic): Json {
  const { mode, link, vlan } = filledNicParams(config.cluster, nic)
  const network = nic.network === null ? undefined : config.networks.byUuid.get(nic.network)
  const { name, uuid, ip, mac } = nic
  return [name, uuid, ip, mac, mode, link, vlan, nic.network, network ? networkData(network) : null]
}

/** A network as its file has it: without what it has not. */
function networkData(network: Network): JsonObject {
  const { name, serial_no, mac_prefix, network6, gateway, gateway6, reservations, ext_reservations } = network
  const { ctime, mtime, uuid, tags } = network
  const all = {
    name,
    serial_no,
    mac_prefix,
    network: network.network,
    network6,
    gateway,
    gateway6,
    reservations,
    ext_reservations,
    ctime,
    mtime,
    uuid,
    tags,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null))
}

/** @param snode the other node of a mirrored disk that this one is a part of */
function diskData(run: Run, instance: Instance, disk: Disk, snode: string | null): JsonObject {
  const drbd = disk.dev_type === 'drbd' ? drbdData(run, instance, disk) : null
  const other = drbd?.snode ?? snode
  return {
    iv_name: disk.iv_name ?? '',
    dev_type: disk.dev_type,
    // DRBD's secret is not shown.
    logical_id: drbd
      ? ([...disk.logical_id.slice(0, -1), null] as Json[])
      : (disk.logical_id as readonly Json[]),
    drbd_info: drbd?.info ?? null,
    pstatus: statusOf(run, instance, disk, instance.primary_node),
    sstatus: other === null ? null : statusOf(run, instance, disk, other),
    children: disk.children.map((child) => diskData(run, instance, child, other)),
    mode: disk.mode,
    size: disk.size,
    spindles: disk.spindles,
    name: disk.name,
    uuid: disk.uuid,
  }
}

function drbdData({ config }: Run, { primary_node }: Instance, { logical_id }: Disk) {
  const [first, second, port, firstMinor, secondMinor] = logical_id
  const isFirst = first === primary_node
  const snode = String(isFirst ? second : first)
  return {
    snode,
    info: {
      primary_node: nodeBehind(config, primary_node).name,
      primary_minor: isFirst ? firstMinor : secondMinor,
      secondary_node: nodeBehind(config, snode).name,
      secondary_minor: isFirst ? secondMinor : firstMinor,
      port,
    } as JsonObject,
  }
}

/** What a node would tell of a disk: nothing of one that is put away, but files are always there. */
function statusOf(run: Run, { disks_active }: Instance, disk: Disk, node: string): Json {
  const isFile = disk.dev_type === 'file' || disk.dev_type === 'sharedfile'
  if (run.flag('static') || nodeBehind(run.config, node).offline) return null
  if (!disks_active && !isFile) return null
  const path = devicePath(disk, node)
  const minor = disk.dev_type === 'drbd' ? Number(path?.replace('/dev/drbd', '')) : null
  return [path, minor === null ? null : DRBD_MAJOR, minor, null, null, false, DISK_OK]
}
