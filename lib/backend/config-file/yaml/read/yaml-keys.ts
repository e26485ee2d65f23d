/**
 * Every key that may stand in a cluster in YAML, by the kind of object, under
 * the names that the manual has for these kinds; what it says of them is tested
 * against this table. A reader that asks for another key has a fault.
 */

/** What objects may have besides. */
export const RECORD_KEYS = ['uuid', 'ctime', 'mtime', 'serial_no'] as const

const STAMPED = ['cluster', 'groups', 'nodes', 'instances', 'networks', 'disks', 'children'] as const

export const YAML_KEYS = {
  sections: ['cluster', 'groups', 'nodes', 'instances', 'networks', 'os', 'filters'],
  cluster: [
    'name',
    'master',
    'master_ip',
    'master_netmask',
    'master_netdev',
    'use_external_mip_script',
    'hypervisor',
    'enabled_hypervisors',
    'enabled_disk_templates',
    'primary_ip_version',
    'software_version',
    'tags',
    'job_time',
    'beparams',
    'hvparams',
    'ndparams',
    'nicparams',
    'diskparams',
    'ipolicy',
    'os_hvp',
    'osparams',
    'hidden_os',
    'blacklisted_os',
    'volume_group_name',
    'drbd_usermode_helper',
    'file_storage_dir',
    'shared_file_storage_dir',
    'gluster_storage_dir',
    'mac_prefix',
    'candidate_pool_size',
    'default_iallocator',
    'default_iallocator_params',
    'maintain_node_health',
    'modify_etc_hosts',
    'modify_ssh_setup',
    'ssh_key_type',
    'ssh_key_bits',
    'prealloc_wipe_disks',
    'reserved_lvs',
    'uid_pool',
    'max_running_jobs',
    'max_tracked_jobs',
    'install_image',
    'zeroing_image',
    'instance_communication_network',
    'compression_tools',
    'enabled_user_shutdown',
    'data_collectors',
  ],
  groups: ['alloc_policy', 'ndparams', 'diskparams', 'ipolicy', 'tags', 'networks'],
  /** A group's networks. */
  connections: ['mode', 'link', 'vlan'],
  nodes: [
    'primary_ip',
    'secondary_ip',
    'group',
    'offline',
    'drained',
    'powered',
    'master_candidate',
    'master_capable',
    'vm_capable',
    'ndparams',
    'tags',
    'memory',
    'disk',
    'cpus',
    'sockets',
    'numa_nodes',
    'spindles',
    'node_memory',
    'node_cpus',
  ],
  instances: [
    'pnode',
    'snode',
    'os',
    'hypervisor',
    'disk_template',
    'memory',
    'vcpus',
    'beparams',
    'hvparams',
    'osparams',
    'osparams_private',
    'state',
    'admin_state_source',
    'disks_active',
    'network_port',
    'disks',
    'nics',
    'tags',
  ],
  disks: ['size', 'name', 'mode', 'spindles', 'params', 'vg', 'adopt', 'provider', 'logical_id', 'children'],
  /** A disk's children. */
  children: ['dev_type', 'size', 'name', 'mode', 'spindles', 'iv_name', 'logical_id', 'params'],
  nics: ['mac', 'ip', 'name', 'network', 'mode', 'link', 'vlan', 'bridge'],
  networks: ['network', 'gateway', 'network6', 'gateway6', 'mac_prefix', 'tags', 'reserved'],
  os: ['name', 'variants', 'valid', 'api_versions', 'parameters'],
  filters: ['priority', 'predicates', 'action', 'watermark', 'reason', 'reason_trail'],
} as const

export type YamlKind = keyof typeof YAML_KEYS

/** All keys of one kind. */
export function keysOf(kind: YamlKind): ReadonlySet<string> {
  return ALL[kind]
}

const ALL = Object.fromEntries(
  Object.entries(YAML_KEYS).map(([kind, keys]) => {
    const stamped = (STAMPED as readonly string[]).includes(kind)
    const identified = kind === 'nics' || kind === 'filters'
    return [kind, new Set<string>([...keys, ...(stamped ? RECORD_KEYS : identified ? ['uuid'] : [])])]
  }),
) as unknown as { readonly [kind in YamlKind]: ReadonlySet<string> }
