import { moving } from './migration.ts'

/** Stops an instance and starts it on another node that has its disks. */
export const instanceFailover = moving('failover')
