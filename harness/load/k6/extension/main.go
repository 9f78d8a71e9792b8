// Command k6 is k6 with server-sent events built in.
package main

import (
	"go.k6.io/k6/cmd"

	_ "seatrial.invalid/k6/sse"
)

func main() { cmd.Execute() }
