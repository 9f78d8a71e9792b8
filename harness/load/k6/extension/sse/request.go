package sse

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"time"

	"github.com/grafana/sobek"
	"go.k6.io/k6/js/common"
	k6http "go.k6.io/k6/js/modules/k6/http"
	"go.k6.io/k6/lib"
	"go.k6.io/k6/lib/types"
	"go.k6.io/k6/metrics"
)

// request is what a script asks for.
type request struct {
	method, url, body string
	headers           http.Header
	jar               *cookiejar.Jar
	// None when zero.
	timeout time.Duration
	tags    metrics.TagsAndMeta
	// The script's function, which says what it wants to hear.
	listen sobek.Callable
}

// parse reads the arguments of sse.open(url, [params], function).
func parse(state *lib.State, rt *sobek.Runtime, url string, args []sobek.Value) (*request, error) {
	if len(args) < 1 || len(args) > 2 {
		return nil, errors.New("invalid number of arguments to sse.open")
	}
	listen, ok := sobek.AssertFunction(args[len(args)-1])
	if !ok {
		return nil, errors.New("last argument to sse.open must be a function")
	}
	r := &request{
		method: http.MethodGet, url: url, headers: http.Header{}, jar: state.CookieJar,
		tags: state.Tags.GetCurrentValues(), listen: listen,
	}
	r.headers.Set("Accept", "text/event-stream")
	r.headers.Set("User-Agent", state.Options.UserAgent.String)
	if len(args) == 2 && isGiven(args[0]) {
		if err := r.apply(rt, args[0].ToObject(rt)); err != nil {
			return nil, err
		}
	}
	r.tags.SetSystemTagOrMetaIfEnabled(state.Options.SystemTags, metrics.TagURL, url)
	r.tags.SetSystemTagOrMetaIfEnabled(state.Options.SystemTags, metrics.TagMethod, r.method)
	return r, nil
}

func (r *request) apply(rt *sobek.Runtime, params *sobek.Object) error {
	for _, key := range params.Keys() {
		value := params.Get(key)
		if !isGiven(value) {
			continue
		}
		switch key {
		case "method":
			r.method = strings.ToUpper(strings.TrimSpace(value.String()))
		case "body":
			r.body = value.String()
		case "headers":
			headers := value.ToObject(rt)
			for _, name := range headers.Keys() {
				r.headers.Set(name, headers.Get(name).String())
			}
		case "tags":
			if err := common.ApplyCustomUserTags(rt, &r.tags, value); err != nil {
				return fmt.Errorf("invalid sse.open() metric tags: %w", err)
			}
		case "jar":
			if jar, ok := value.Export().(*k6http.CookieJar); ok {
				r.jar = jar.Jar
			}
		case "timeout":
			timeout, err := types.GetDurationValue(value.Export())
			if err != nil {
				return fmt.Errorf("invalid sse.open() timeout: %w", err)
			}
			r.timeout = timeout
		}
	}
	return nil
}
