/** The operations on instances, by the opcodes that ask for them. */
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
import type { Operation } from './shared/operation.ts'

export const instanceOperations: { readonly [opcode: string]: Operation } = {
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
}
