/** The operations on the cluster, its groups, nodes, networks, OSes and exports, by the opcodes that ask for them. */
import { backupExport } from './backup/backup-export.ts'
import { backupPrepare } from './backup/backup-prepare.ts'
import { backupRemove } from './backup/backup-remove.ts'
import { clusterQuery } from './cluster/cluster-query.ts'
import { clusterRedistConf } from './cluster/cluster-redist-conf.ts'
import { clusterSetParams } from './cluster/cluster-set-params.ts'
import { osDiagnose } from './cluster/os-diagnose.ts'
import { groupAdd } from './group/group-add.ts'
import { groupAssignNodes } from './group/group-assign-nodes.ts'
import { groupRemove } from './group/group-remove.ts'
import { groupRename } from './group/group-rename.ts'
import { groupSetParams } from './group/group-set-params.ts'
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

export const clusterOperations: { readonly [opcode: string]: Operation } = {
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
}
