import { OP_INSTANCE_MIGRATE } from '../../../../model/opcodes/instance.ts'
import { nodeNamed } from '../shared/find.ts'
import { operation } from '../shared/run.ts'

const PASSED_ON = ['mode', 'live', 'iallocator', 'target_node', 'allow_runtime_changes', 'ignore_ipolicy']

/** Submits a job for each primary instance of a node; whether it can be migrated turns out there. */
export const nodeMigrate = operation((run) => {
  const node = nodeNamed(run)
  if (run.isDry) return run.dryRun()
  const passedOn = Object.fromEntries(PASSED_ON.map((name) => [name, run.opcode[name] ?? null]))
  const instances = run.config.primaryInstances.get(node.uuid) ?? []
  return {
    ...run.done({}, { jobs: [] }),
    submits: instances.map(({ name }) => [
      { OP_ID: OP_INSTANCE_MIGRATE.id, ...passedOn, instance_name: name },
    ]),
  }
})
