/** All that it takes to change a cluster in YAML: much of the program, which no other cluster needs. */
export { OPERATIONS } from './operations/operations.ts'
export { makeYamlText } from './yaml/document/make-yaml-text.ts'
export { writeChange } from './yaml/write/write-change.ts'
