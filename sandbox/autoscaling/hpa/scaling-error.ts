import { ApiError } from '../../kube/errors.ts'
import { MetricsError } from '../metrics-client.ts'

/** Why a replica count cannot be worked out. The message goes into events and conditions. */
export class ScalingError extends Error {
  override readonly name = 'ScalingError'
}

/** The message of an error that belongs to scaling; anything else is a bug and is thrown on. */
export function messageOf(error: unknown): string {
  if (error instanceof ScalingError || error instanceof MetricsError || error instanceof ApiError) return error.message
  throw error
}
