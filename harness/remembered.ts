/** Answers kept: the seeds of a trial or of a fix come one after the other, those of two scenarios by turns. */
const KEPT = 4

/** `make`, for questions of JSON: those asked of late get the same answer, not one like it. */
export function remembered<Question, Answer>(make: (question: Question) => Answer): (question: Question) => Answer {
  const answers = new Map<string, Answer>()
  return (question) => {
    const key = JSON.stringify(question)
    const answer = answers.get(key) ?? make(question)
    // the last asked stands last
    answers.delete(key)
    answers.set(key, answer)
    if (answers.size > KEPT) answers.delete(answers.keys().next().value!)
    return answer
  }
}
