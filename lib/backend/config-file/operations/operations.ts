/** Every operation there is, by its opcode. */
import type { OpcodeId } from '../../../model/opcodes/table.ts'
import { backupExport } from './backup/backup-export.ts'
import { backupPrepare } from './backup/backup-prepare.ts'
import { backupRemove } from './backup/backup-remove.ts'
import { clusterQuery } from './cluster/cluster-query.ts'
import { clusterRedistConf } from './cluster/cluster-redist-conf.ts'
import { clusterSetParams } from './cluster/cluster-set-params.ts'
import { osDiagnose } from './cluster/os-diagnose.ts'
import { testDelay } from './cluster/test-delay.ts'
import { groupAdd } from './group/group-add.ts'
import { groupAssignNodes } from './group/group-assign-nodes.ts'
import { groupRemove } from './group/group-remove.ts'
import { groupRename } from './group/group-rename.ts'
import { groupSetParams } from './group/group-set-params.ts'
import { instanceActivateDisks } from './instance/instance-activate-disks.ts'
import { instanceConsole } from './instance/instance-console.ts'
import { instanceCreate } from './instance/instance-create.ts'
import { instanceDeactivateDisks } from './instance/instance-deactivate-disks.ts'
import { instanceFailover } from './instance/instance-failover.ts'
import { instanceGrowDisk } from './instance/instance-grow-disk.ts'
import { instanceMigrate } from './instance/instance-migrate.ts'
import { instanceMultiAlloc } from './instance/instance-multi-alloc.ts'
import { instanceQueryData } from './instance/instance-query-data.ts'
import { instanceReboot } from './instance/instance-reboot.ts'
import { instanceRecreateDisks } from './instance/instance-recreate-disks.ts'
import { instanceReinstall } from './instance/instance-reinstall.ts'
import { instanceRemove } from './instance/instance-remove.ts'
import { instanceRename } from './instance/instance-rename.ts'
import { instanceReplaceDisks } from './instance/instance-replace-disks.ts'
import { instanceSetParams } from './instance/instance-set-params.ts'
import { instanceShutdown } from './instance/instance-shutdown.ts'
import { instanceStartup } from './instance/instance-startup.ts'
import { networkAdd } from './network/network-add.ts'
import { networkConnect } from './network/network-connect.ts'
import { networkDisconnect } from './network/network-disconnect.ts'
import { networkRemove } from './network/network-remove.ts'
import { networkRename } from './network/network-rename.ts'
import { networkSetParams } from './network/network-set-params.ts'
import { nodeEvacuate } from './node/node-evacuate.ts'
import { nodeMigrate } from './node/node-migrate.ts'
import { nodeModifyStorage } from './node/node-modify-storage.ts'
import { nodePowercycle } from './node/node-powercycle.ts'
import { nodeQueryStorage } from './node/node-query-storage.ts'
import { nodeSetParams } from './node/node-set-params.ts'
import { repairNodeStorage } from './node/repair-node-storage.ts'
import type { Operation } from './shared/operation.ts'
import { tagsDel } from './tags/tags-del.ts'
import { tagsGet } from './tags/tags-get.ts'
import { tagsSet } from './tags/tags-set.ts'

/** What opcodes mean, by their ids: all that this API submits, and some that Ganeti's own programs do. */
export const OPERATIONS: { readonly [opcode: string]: Operation } & {
  readonly [id in OpcodeId]: Operation
} = {
  OP_BACKUP_EXPORT: backupExport,
  OP_BACKUP_PREPARE: backupPrepare,
  OP_BACKUP_REMOVE: backupRemove,
  OP_CLUSTER_QUERY: clusterQuery,
  OP_CLUSTER_REDIST_CONF: clusterRedistConf,
  OP_CLUSTER_SET_PARAMS: clusterSetParams,
  OP_GROUP_ADD: groupAdd,
  OP_GROUP_ASSIGN_NODES: groupAssignNodes,
  OP_GROUP_REMOVE: groupRemove,
  OP_GROUP_RENAME: groupRename,
  OP_GROUP_SET_PARAMS: groupSetParams,
  OP_INSTANCE_ACTIVATE_DISKS: instanceActivateDisks,
  OP_INSTANCE_CONSOLE: instanceConsole,
  OP_INSTANCE_CREATE: instanceCreate,
  OP_INSTANCE_DEACTIVATE_DISKS: instanceDeactivateDisks,
  OP_INSTANCE_FAILOVER: instanceFailover,
  OP_INSTANCE_GROW_DISK: instanceGrowDisk,
  OP_INSTANCE_MIGRATE: instanceMigrate,
  OP_INSTANCE_MULTI_ALLOC: instanceMultiAlloc,
  OP_INSTANCE_QUERY_DATA: instanceQueryData,
  OP_INSTANCE_REBOOT: instanceReboot,
  OP_INSTANCE_RECREATE_DISKS: instanceRecreateDisks,
  OP_INSTANCE_REINSTALL: instanceReinstall,
  OP_INSTANCE_REMOVE: instanceRemove,
  OP_INSTANCE_RENAME: instanceRename,
  OP_INSTANCE_REPLACE_DISKS: instanceReplaceDisks,
  OP_INSTANCE_SET_PARAMS: instanceSetParams,
  OP_INSTANCE_SHUTDOWN: instanceShutdown,
  OP_INSTANCE_STARTUP: instanceStartup,
  OP_NETWORK_ADD: networkAdd,
  OP_NETWORK_CONNECT: networkConnect,
  OP_NETWORK_DISCONNECT: networkDisconnect,
  OP_NETWORK_REMOVE: networkRemove,
  OP_NETWORK_RENAME: networkRename,
  OP_NETWORK_SET_PARAMS: networkSetParams,
  OP_NODE_EVACUATE: nodeEvacuate,
  OP_NODE_MIGRATE: nodeMigrate,
  OP_NODE_MODIFY_STORAGE: nodeModifyStorage,
  OP_NODE_POWERCYCLE: nodePowercycle,
  OP_NODE_QUERY_STORAGE: nodeQueryStorage,
  OP_NODE_SET_PARAMS: nodeSetParams,
  OP_OS_DIAGNOSE: osDiagnose,
  OP_REPAIR_NODE_STORAGE: repairNodeStorage,
  OP_TAGS_DEL: tagsDel,
  OP_TAGS_GET: tagsGet,
  OP_TAGS_SET: tagsSet,
  OP_TEST_DELAY: testDelay,
}
