import { clusterInfo } from '../cluster-info.ts'
import { operation } from './run.ts'

/** Everything about the cluster itself, as LUXI's QueryClusterInfo has it. */
export const clusterQuery = operation((run) => run.done({}, clusterInfo(run.config)))
