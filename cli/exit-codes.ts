/** What a command ends with. */
export const exitCodes = {
  pass: 0,
  fail: 1,
  usage: 2,
  unavailable: 3,
  nothingSelected: 4,
  undecided: 5,
  sloBreached: 99,
  interrupted: 130,
} as const
