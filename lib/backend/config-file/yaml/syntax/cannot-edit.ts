import { Failure } from '../../../../failure.ts'

/** The text has a form that cannot be edited place by place. */
export class CannotEdit extends Failure {
  constructor() {
    super('internal', "Cannot write this change into the cluster's YAML file as it is laid out")
  }
}
