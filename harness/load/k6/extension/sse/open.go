package sse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"time"

	"github.com/grafana/sobek"
	"go.k6.io/k6/js/common"
	"go.k6.io/k6/lib"
	"go.k6.io/k6/metrics"
)

// waitingEvents is how many events wait for a slow script before reading waits too, and their times become later than they were.
const waitingEvents = 256

// response is what sse.open returns once the stream has ended.
type response struct {
	URL     string            `js:"url"`
	Status  int               `js:"status"`
	Headers map[string]string `js:"headers"`
	// Body of an answer that is no event stream.
	Body  string `js:"body"`
	Error string `js:"error"`
	// SentAt is when the request began, connecting included, in milliseconds since 1970.
	SentAt float64 `js:"sentAt"`
}

// client is what the script's function is given.
type client struct {
	rt       *sobek.Runtime
	handlers map[string][]sobek.Callable
	cancel   context.CancelFunc
	closed   bool
}

// On adds a function that hears `open`, `event` or `error`.
func (c *client) On(name string, handler sobek.Value) {
	if f, ok := sobek.AssertFunction(handler); ok {
		c.handlers[name] = append(c.handlers[name], f)
	}
}

// Close hangs up. Nothing more is heard.
func (c *client) Close() {
	c.closed = true
	c.cancel()
}

func (c *client) tell(name string, args ...sobek.Value) {
	for _, f := range c.handlers[name] {
		if _, err := f(sobek.Undefined(), args...); err != nil {
			common.Throw(c.rt, err)
		}
	}
}

// open sends a request and tells the script of its events; it returns when the stream has ended, was cut or closed.
func (m *module) open(url string, args ...sobek.Value) (*response, error) {
	state, rt := m.vu.State(), m.vu.Runtime()
	if state == nil {
		return nil, common.NewInitContextError("using sse in the init context is not supported")
	}
	r, err := parse(state, rt, url, args)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(m.vu.Context())
	if r.timeout > 0 {
		ctx, cancel = context.WithTimeout(m.vu.Context(), r.timeout)
	}
	defer cancel()
	c := &client{rt: rt, handlers: map[string][]sobek.Callable{}, cancel: cancel}
	if _, err := r.listen(sobek.Undefined(), rt.ToValue(c)); err != nil {
		return nil, err
	}
	if state.RPSLimit != nil {
		if err := state.RPSLimit.Wait(ctx); err != nil {
			return nil, err
		}
	}
	x := &exchange{module: m, state: state, request: r, client: c, out: &response{URL: url}}
	if err := x.run(ctx); err != nil && !c.closed {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("request timeout after %s: %w", r.timeout, err)
		}
		x.out.Error = err.Error()
		c.tell("error", rt.ToValue(err))
		if x.out.Status == 0 && state.Options.Throw.Bool {
			return nil, err
		}
	}
	return x.out, nil
}

// exchange is one request and its answer.
type exchange struct {
	module  *module
	state   *lib.State
	request *request
	client  *client
	out     *response
}

// run pushes the samples of the request when it is over, and returns the error that ended it.
func (x *exchange) run(ctx context.Context) (err error) {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: x.connected})
	req, err := http.NewRequestWithContext(ctx, x.request.method, x.request.url, strings.NewReader(x.request.body))
	if err != nil {
		return err
	}
	req.Header = x.request.headers
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	began := time.Now()
	x.out.SentAt = milliseconds(began)
	answer, err := x.http().Do(req)
	waited := time.Since(began)
	events := 0
	defer func() { x.push(began, waited, events, err) }()
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	x.describe(answer)
	x.client.tell("open")
	if !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream") {
		body, err := io.ReadAll(answer.Body)
		x.out.Body = string(body)
		return err
	}
	events, err = x.follow(answer.Body)
	return err
}

// http is a client of the virtual user's own connections, as k6/http is.
func (x *exchange) http() *http.Client {
	most := x.state.Options.MaxRedirects
	c := &http.Client{
		Transport: x.state.Transport,
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if int64(len(via)) > most.Int64 {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
	if x.request.jar != nil {
		c.Jar = x.request.jar
	}
	return c
}

func (x *exchange) describe(answer *http.Response) {
	x.out.URL, x.out.Status = answer.Request.URL.String(), answer.StatusCode
	x.out.Headers = make(map[string]string, len(answer.Header))
	for name, values := range answer.Header {
		x.out.Headers[name] = strings.Join(values, ", ")
	}
	x.tag(metrics.TagStatus, strconv.Itoa(answer.StatusCode))
	x.tag(metrics.TagProto, answer.Proto)
}

// follow reads in a goroutine of its own, so that what the script does with one event does not delay the time of the next.
func (x *exchange) follow(stream io.Reader) (int, error) {
	events := make(chan event, waitingEvents)
	ended := make(chan error, 1)
	go func() {
		defer close(events)
		ended <- read(stream, func(e event) { events <- e })
	}()
	defer func() {
		// a script that threw leaves events behind, which the reader would wait with for ever
		x.client.cancel()
		for range events { //nolint:revive // emptied
		}
	}()
	count := 0
	for e := range events {
		if x.client.closed {
			continue
		}
		count++
		x.client.tell("event", x.client.rt.ToValue(e))
	}
	return count, <-ended
}

func (x *exchange) connected(info httptrace.GotConnInfo) {
	if ip, _, err := net.SplitHostPort(info.Conn.RemoteAddr().String()); err == nil {
		x.tag(metrics.TagIP, ip)
	}
}

func (x *exchange) tag(tag metrics.SystemTag, value string) {
	x.request.tags.SetSystemTagOrMetaIfEnabled(x.state.Options.SystemTags, tag, value)
}

// push gives k6 the samples that k6/http gives of a request, as far as they exist here, and the number of events.
func (x *exchange) push(began time.Time, waited time.Duration, events int, err error) {
	end, builtin := time.Now(), x.state.BuiltinMetrics
	failed := 0.0
	if (err != nil && !x.client.closed) || x.out.Status >= http.StatusBadRequest {
		failed = 1
	}
	x.tag(metrics.TagExpectedResponse, strconv.FormatBool(failed == 0))
	values := []struct {
		metric *metrics.Metric
		value  float64
	}{
		{builtin.HTTPReqs, 1},
		{builtin.HTTPReqFailed, failed},
		{builtin.HTTPReqDuration, metrics.D(end.Sub(began))},
		{builtin.HTTPReqWaiting, metrics.D(waited)},
		{x.module.events, float64(events)},
	}
	samples := make(metrics.Samples, 0, len(values))
	for _, v := range values {
		samples = append(samples, metrics.Sample{
			TimeSeries: metrics.TimeSeries{Metric: v.metric, Tags: x.request.tags.Tags},
			Time:       end, Metadata: x.request.tags.Metadata, Value: v.value,
		})
	}
	metrics.PushIfNotDone(x.module.vu.Context(), x.state.Samples, samples)
}
