/** The fields of the cluster itself, whose query has one row. */
import type { Cluster } from '../../../../model/cluster.ts'
import { OS_API_VERSION } from '../../../../model/os.ts'
import { architecture, EXPORT_VERSION, masterName, vcsVersion } from './cluster-info.ts'
import { cellField, type Field, field, hostname, NO_DATA, optionalField, orNoData } from './field.ts'
import { text, texts, tuple } from './value-schemas.ts'

export const clusterFields: readonly Field<Cluster>[] = [
  hostname(field('name', 'Name', 'text', 'Name of the cluster', (cluster) => cluster.cluster_name)),
  hostname(field('cluster_name', 'Name', 'text', 'Name of the cluster', (cluster) => cluster.cluster_name)),
  cellField('master_node', 'Master', 'text', 'The master node', (_, config) => orNoData(masterName(config))),
  optionalField(
    'volume_group_name',
    'VgName',
    'text',
    'LVM volume group for disks',
    (cluster) => cluster.volume_group_name,
  ),
  field('architecture', 'ArchInfo', tuple(text, text), 'Word size and machine', () => architecture()),
  field(
    'software_version',
    'SoftwareVersion',
    'text',
    'Version of Ganeti',
    (_, config) => config.version.text,
  ),
  field('vcs_version', 'VCSVersion', 'text', 'Version of Ganeti, as its makers call it', (_, config) =>
    vcsVersion(config.version),
  ),
  field(
    'protocol_version',
    'ProtocolVersion',
    'number',
    'Version of the protocol between nodes',
    (_, config) => config.version.number,
  ),
  field(
    'config_version',
    'ConfigVersion',
    'number',
    'Version of the configuration',
    (_, config) => config.version.number,
  ),
  field('os_api_version', 'OsApiVersion', 'number', 'Version of the OS interface', () => OS_API_VERSION),
  field(
    'export_version',
    'ExportVersion',
    'number',
    'Version of the format of exports',
    () => EXPORT_VERSION,
  ),
  field('ctime', 'CTime', 'timestamp', 'When the cluster was created', ({ ctime }) => ctime),
  field('mtime', 'MTime', 'timestamp', 'When the cluster itself was last changed', ({ mtime }) => mtime),
  field('tags', 'Tags', texts, 'Tags of the cluster', ({ tags }) => tags),
  // Both lie on the master node, outside the configuration.
  cellField('drain_flag', 'QueueDrained', 'bool', 'Whether the job queue takes no new jobs', () => NO_DATA),
  cellField(
    'watcher_pause',
    'WatcherPause',
    'timestamp',
    'Until when ganeti-watcher does nothing',
    () => NO_DATA,
  ),
]
