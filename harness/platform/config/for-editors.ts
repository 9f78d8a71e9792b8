/** JSON Schema of what is read by a function, so that editors know how it is written. */
type Schema = Readonly<Record<string, unknown>>

export const DURATION: Schema = { type: 'string', examples: ['90s', '1m30s', '500ms'] }
export const SIZE: Schema = { type: 'string', examples: ['9.2GB', '80Gi'] }
export const BANDWIDTH: Schema = { type: 'string', examples: ['1GB/s', '10Gbit/s'] }
export const SHARE: Schema = { type: ['string', 'number'], examples: ['99.9%', 0.999] }
export const RATE: Schema = { type: 'string', examples: ['20/s', '90/m'] }
export const PRICE: Schema = { type: 'number', exclusiveMinimum: 0 }
export const CORES: Schema = { type: ['number', 'string'], examples: [0.05, '50m'] }
export const QUANTITY: Schema = { type: ['string', 'number'], examples: ['192', '500m', '2Ti'] }
const TOKENS: Schema = { type: 'integer', minimum: 1 }

/** A figure alone, or with what is known of it. */
export const figure = (alone: Schema): Schema => ({
  anyOf: [
    alone,
    closed(
      {
        value: alone,
        range: { type: 'array', items: alone, minItems: 2, maxItems: 2 },
        measured: { type: 'string', description: 'How it was measured, in words.' },
      },
      ['value'],
    ),
  ],
})

export const LENGTHS: Schema = {
  anyOf: [TOKENS, closed({ mean: TOKENS, p95: TOKENS }), closed({ min: TOKENS, max: TOKENS })],
}

function closed(properties: Schema, required = Object.keys(properties)): Schema {
  return { type: 'object', properties, required, additionalProperties: false }
}
