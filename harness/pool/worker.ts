import { enableCompileCache } from 'node:module'

// One thread of the pool. What it loads comes out of the same cache as the main thread's, which a thread has to ask for itself.

enableCompileCache()
await import('./serve.ts')
