// Package sse gives k6 scripts server-sent events, each with the time its bytes were read: `import sse from "k6/x/sse"`. Scripts written for
// xk6-sse run unchanged; event.time, response.sentAt, response.body, sse.now and sse.sleepUntil are ours.
package sse

import (
	"time"

	"github.com/grafana/sobek"
	"go.k6.io/k6/js/common"
	"go.k6.io/k6/js/modules"
	"go.k6.io/k6/metrics"
)

func init() { modules.Register("k6/x/sse", &root{}) }

type root struct{}

// module is what one virtual user imports.
type module struct {
	vu     modules.VU
	events *metrics.Metric
}

// NewModuleInstance is called by k6 for every virtual user.
func (*root) NewModuleInstance(vu modules.VU) modules.Instance {
	events, err := vu.InitEnv().Registry.NewMetric("sse_event", metrics.Counter)
	if err != nil {
		common.Throw(vu.Runtime(), err)
	}
	return &module{vu: vu, events: events}
}

// Exports is what `import sse` and `import { open }` give.
func (m *module) Exports() modules.Exports {
	functions := map[string]any{"open": m.open, "now": now, "sleepUntil": m.sleepUntil}
	object := m.vu.Runtime().NewObject()
	for name, f := range functions {
		if err := object.Set(name, f); err != nil {
			common.Throw(m.vu.Runtime(), err)
		}
	}
	return modules.Exports{Default: object, Named: functions}
}

// now is the time since 1970 in milliseconds with their fraction, of which Date.now() has none.
func now() float64 { return milliseconds(time.Now()) }

func milliseconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e6 }

// sleepUntil waits for a time as `now` tells it; not at all for one that is past.
func (m *module) sleepUntil(at float64) {
	timer := time.NewTimer(time.Until(time.Unix(0, int64(at*1e6))))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-m.vu.Context().Done():
	}
}

// isGiven tells a value from undefined and null.
func isGiven(v sobek.Value) bool { return v != nil && !sobek.IsUndefined(v) && !sobek.IsNull(v) }
