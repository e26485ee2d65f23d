import { moving } from './migration.ts'

/** Hands a running instance over to another node that has its disks. */
export const instanceMigrate = moving('migration')
