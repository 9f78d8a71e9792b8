package sse

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.k6.io/k6/js/modulestest"
	"go.k6.io/k6/lib"
	"go.k6.io/k6/metrics"
	"gopkg.in/guregu/null.v3"
)

// script is a runtime in which `sse` and `URL` are known, as in a virtual user.
type script struct {
	*modulestest.Runtime
	t       *testing.T
	state   *lib.State
	samples chan metrics.SampleContainer
}

func newScript(t *testing.T, url string) *script {
	t.Helper()
	r := modulestest.NewRuntime(t)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	samples := make(chan metrics.SampleContainer, 1000)
	tags := metrics.NewRegistry().RootTagSet()
	state := &lib.State{
		Options: lib.Options{
			MaxRedirects: null.IntFrom(10), UserAgent: null.StringFrom("k6/test"), Throw: null.BoolFrom(false),
			SystemTags: &metrics.DefaultSystemTagSet,
		},
		Transport:      &http.Transport{},
		CookieJar:      jar,
		Samples:        samples,
		Tags:           lib.NewVUStateTags(tags),
		BuiltinMetrics: r.BuiltinMetrics,
	}
	instance := (&root{}).NewModuleInstance(r.VU)
	require.NoError(t, r.VU.Runtime().Set("sse", instance.Exports().Default))
	require.NoError(t, r.VU.Runtime().Set("URL", url))
	r.MoveToVUContext(state)
	return &script{Runtime: r, t: t, state: state, samples: samples}
}

// run gives what the code's last expression is, as JSON.
func (s *script) run(code string) string {
	s.t.Helper()
	v, err := s.VU.Runtime().RunString("JSON.stringify((() => {" + code + "})())")
	require.NoError(s.t, err)
	return v.String()
}

// values are the samples pushed so far of one metric.
func (s *script) values(name string) []metrics.Sample {
	var found []metrics.Sample
	for len(s.samples) > 0 {
		for _, sample := range (<-s.samples).GetSamples() {
			if sample.Metric.Name == name {
				found = append(found, sample)
			}
		}
	}
	return found
}

func server(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}

func stream(parts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		for _, part := range parts {
			_, _ = io.WriteString(w, part)
			w.(http.Flusher).Flush()
		}
	}
}

func TestEventsAreDividedAsTheStandardSays(t *testing.T) {
	s := newScript(t, server(t, stream(
		"data: one\n\n", ": ping\n\n", "id: 7\nevent: add\ndata: a\ndata: b\r\n\r\n", "\n\ndata:tight\nretry: 5\n\n", "da", "ta: {\"x\": ", "1}\n\n",
		"data: never ended",
	)))
	require.JSONEq(t, `[["","","one",""],["","","","ping"],["7","add","a\nb",""],["","","tight",""],["","","{\"x\": 1}",""]]`, s.run(`
		const seen = []
		sse.open(URL, {}, (c) => c.on('event', (e) => seen.push([e.id, e.name, e.data, e.comment])))
		return seen`))
	require.Equal(t, 5.0, s.values("sse_event")[0].Value)
}

func TestTimesAreThoseOfTheStreamNotOfTheScript(t *testing.T) {
	s := newScript(t, server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
			time.Sleep(60 * time.Millisecond)
		}
	}))
	// each event keeps the script busy for longer than the stream lasts
	require.Equal(t, `[true,true,true]`, s.run(`
		const times = []
		const { sentAt } = sse.open(URL, (c) => c.on('event', (e) => { times.push(e.time); sse.sleepUntil(sse.now() + 150) }))
		const [a, b, d] = times
		return [sentAt <= a && a < sentAt + 50, b - a > 40 && b - a < 110, d - b > 40 && d - b < 110]`))
}

func TestTheRequestIsAsAsked(t *testing.T) {
	s := newScript(t, server(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Saw", strings.Join([]string{r.Method, r.Header.Get("Accept"), r.UserAgent(), r.Header.Get("X-A"), string(body)}, "|"))
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes"})
		if _, err := r.Cookie("seen"); err == nil {
			w.Header().Set("X-Cookie", "kept")
		}
	}))
	require.JSONEq(t, `["POST|text/event-stream|k6/test|b|hello",200,true]`, s.run(`
		const params = { method: 'post', headers: { 'x-a': 'b' }, body: 'hello', tags: { mine: 'tag' } }
		const r = sse.open(URL, params, () => {})
		return [r.headers['X-Saw'], r.status, sse.open(URL, () => {}).headers['X-Cookie'] === 'kept']`))
	reqs := s.values("http_reqs")
	require.Len(t, reqs, 2)
	tags := reqs[0].Tags.Map()
	require.Equal(t, "tag", tags["mine"])
	require.Equal(t, "POST", tags["method"])
	require.Equal(t, "200", tags["status"])
	require.Equal(t, "true", tags["expected_response"])
}

func TestARefusalHasItsBodyAndCountsAsFailed(t *testing.T) {
	s := newScript(t, server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":{}}`)
	}))
	require.JSONEq(t, `[400,"{\"error\":{}}","",[]]`, s.run(`
		const heard = []
		const r = sse.open(URL, (c) => { c.on('event', () => heard.push('event')); c.on('error', () => heard.push('error')) })
		return [r.status, r.body, r.error, heard]`))
	require.Equal(t, 1.0, s.values("http_req_failed")[0].Value)
}

func TestAStreamThatIsCutIsAnErrorAndOneThatEndsIsNot(t *testing.T) {
	s := newScript(t, server(t, func(w http.ResponseWriter, r *http.Request) {
		stream("data: 1\n\n")(w, r)
		if r.URL.Path == "/cut" {
			panic(http.ErrAbortHandler)
		}
	}))
	code := `
		const heard = []
		const r = sse.open(URL + '%s', (c) => { c.on('event', (e) => heard.push(e.data)); c.on('error', (e) => heard.push(e.error())) })
		return [r.status, r.error, heard]`
	require.JSONEq(t, `[200,"",["1"]]`, s.run(fmt.Sprintf(code, "/whole")))
	require.Equal(t, 0.0, s.values("http_req_failed")[0].Value)
	require.JSONEq(t, `[200,"unexpected EOF",["1","unexpected EOF"]]`, s.run(fmt.Sprintf(code, "/cut")))
	require.Equal(t, 1.0, s.values("http_req_failed")[0].Value)
}

func TestNobodyListens(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url := "http://" + closed.Addr().String()
	require.NoError(t, closed.Close())
	s := newScript(t, url)
	require.Contains(t, s.run(`return sse.open(URL, () => {})`), "connection refused")
	s.state.Options.Throw = null.BoolFrom(true)
	_, err = s.VU.Runtime().RunString(`sse.open(URL, () => {})`)
	require.ErrorContains(t, err, "connection refused")
}

func TestClosingHangsUp(t *testing.T) {
	left := make(chan struct{})
	s := newScript(t, server(t, func(w http.ResponseWriter, r *http.Request) {
		stream("data: 1\n\ndata: 2\n\n")(w, r)
		<-r.Context().Done()
		close(left)
	}))
	require.JSONEq(t, `[200,"",["1"]]`, s.run(`
		const heard = []
		const r = sse.open(URL, (c) => { c.on('event', (e) => { heard.push(e.data); c.close() }); c.on('error', () => heard.push('error')) })
		return [r.status, r.error, heard]`))
	select {
	case <-left:
	case <-time.After(5 * time.Second):
		t.Fatal("the server still has its client")
	}
	require.Equal(t, 0.0, s.values("http_req_failed")[0].Value)
}

func TestATimeoutEndsAStream(t *testing.T) {
	s := newScript(t, server(t, func(w http.ResponseWriter, r *http.Request) {
		stream("data: 1\n\n")(w, r)
		<-r.Context().Done()
	}))
	require.Contains(t, s.run(`return sse.open(URL, { timeout: '100ms' }, () => {})`), "request timeout after 100ms")
}

func TestWhatAScriptThrowsReachesIt(t *testing.T) {
	s := newScript(t, server(t, stream(strings.Repeat("data: 1\n\n", 4*waitingEvents))))
	_, err := s.VU.Runtime().RunString(`sse.open(URL, (c) => c.on('event', () => { throw new Error('mine') }))`)
	require.ErrorContains(t, err, "mine")
	_, err = s.VU.Runtime().RunString(`sse.open(URL, {})`)
	require.ErrorContains(t, err, "last argument to sse.open must be a function")
	_, err = s.VU.Runtime().RunString(`sse.open(URL)`)
	require.ErrorContains(t, err, "invalid number of arguments")
}

func TestSleepingUntilATime(t *testing.T) {
	s := newScript(t, "")
	require.Equal(t, `[true,true]`, s.run(`
		const t0 = sse.now()
		sse.sleepUntil(t0 + 50.5)
		const t1 = sse.now()
		sse.sleepUntil(t0)
		return [t1 - t0 >= 50.5 && t1 - t0 < 150, sse.now() - t1 < 50]`))
}
