/** Whether an address to listen at is reached from this machine, or container, alone. */
export const isLoopback = (host: string): boolean => /^(127\.|localhost$|::1$)/.test(host)
