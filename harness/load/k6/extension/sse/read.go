package sse

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"time"
)

// event is one server-sent event as scripts see it.
type event struct {
	ID      string `js:"id"`
	Name    string `js:"name"`
	Data    string `js:"data"`
	Comment string `js:"comment"`
	// Time at which the line that ended it was read, in milliseconds since 1970.
	Time float64 `js:"time"`
}

const bufferBytes = 1 << 15

// read hands on every event of a stream, as the HTML standard divides it, and also those of comments alone; what is not ended by an empty
// line is none. It returns nil at the stream's end, and the error of a stream that is cut.
func read(stream io.Reader, next func(event)) error {
	lines := bufio.NewReaderSize(stream, bufferBytes)
	var current event
	var data []string
	begun := false
	for {
		line, err := lines.ReadString('\n')
		at := time.Now()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			if begun {
				current.Data, current.Time = strings.Join(data, "\n"), milliseconds(at)
				next(current)
			}
			current, data, begun = event{}, data[:0], false
			continue
		}
		begun = true
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "data":
			data = append(data, value)
		case "event":
			current.Name = value
		case "id":
			current.ID = value
		case "":
			current.Comment = value
		}
	}
}
