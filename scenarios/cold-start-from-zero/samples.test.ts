import { testSamples } from '../samples.ts'

testSamples(import.meta.url)
