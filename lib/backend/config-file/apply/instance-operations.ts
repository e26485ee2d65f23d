/** The operations on instances, by the opcodes that ask for them. */
import { instanceCreate } from './instance-create.ts'
import { instanceReboot } from './instance-reboot.ts'
import { instanceRemove } from './instance-remove.ts'
import { instanceShutdown } from './instance-shutdown.ts'
import { instanceStartup } from './instance-startup.ts'
import type { Operation } from './operation.ts'

export const instanceOperations: { readonly [opcode: string]: Operation } = {
  OP_INSTANCE_CREATE: instanceCreate,
  OP_INSTANCE_REBOOT: instanceReboot,
  OP_INSTANCE_REMOVE: instanceRemove,
  OP_INSTANCE_SHUTDOWN: instanceShutdown,
  OP_INSTANCE_STARTUP: instanceStartup,
}
