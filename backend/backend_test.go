package backend

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

// fake is a driver whose devices are its answer.
type fake struct {
	unavailable error
	opened      *int
}

func (f fake) Available() error { return f.unavailable }
func (f fake) About() string    { return "nothing" }

func (f fake) Open(n int, _ Options) (Device, error) {
	*f.opened = n
	return nil, f.unavailable
}

// withDrivers runs f with no drivers but those given, by name; each has the rank of its place, from 0.
func withDrivers(t *testing.T, names []string, byName map[string]fake, f func()) {
	t.Helper()
	before := drivers.byName
	defer func() { drivers.byName = before }()
	drivers.byName = map[string]registered{}
	for rank, name := range names {
		Register(name, rank, byName[name])
	}
	f()
}

func TestOpenTakesTheHighestRankThatIsAvailable(t *testing.T) {
	var low, high, gpu int
	all := map[string]fake{
		"gpu":  {opened: &gpu},
		"low":  {opened: &low},
		"high": {opened: &high, unavailable: errors.New("no such instructions")},
	}
	withDrivers(t, []string{"gpu", "low", "high"}, all, func() {
		if got := Names(); !slices.Equal(got, []string{"gpu", "high", "low"}) {
			t.Errorf("Names() = %v; want them sorted", got)
		}
		if got := Default(); got != "low" {
			t.Errorf("Default() = %q; want low: high is not available, and gpu has rank 0", got)
		}
		low = -1
		if _, err := Open("", Options{}); err != nil || low != 0 {
			t.Errorf("Open(%q) opened device %d of low, %v; want 0", "", low, err)
		}
		if _, err := Open("gpu:3", Options{}); err != nil || gpu != 3 {
			t.Errorf("Open(gpu:3) opened device %d, %v; want 3", gpu, err)
		}
		if _, err := Open("high", Options{}); err == nil {
			t.Error("Open(high) hides the driver's error")
		}
	})
}

func TestOpenDoesNotPassOverAMisconfiguredBackend(t *testing.T) {
	wrong := fmt.Errorf("%w: SPEED=fast is unknown", ErrMisconfigured)
	all := map[string]fake{"gpu": {opened: new(int)}, "low": {opened: new(int)}, "high": {opened: new(int), unavailable: wrong}}
	withDrivers(t, []string{"gpu", "low", "high"}, all, func() {
		if _, err := Open("", Options{}); !errors.Is(err, ErrMisconfigured) {
			t.Errorf("Open(%q): %v; want %v", "", err, wrong)
		}
		if _, err := Open("low", Options{}); err != nil {
			t.Errorf("Open(low): %v", err)
		}
	})
}

func TestOpenSaysWhatToDo(t *testing.T) {
	all := map[string]fake{"gpu": {opened: new(int)}}
	for _, tt := range []struct {
		registered []string
		name       string
		options    Options
		want       string
	}{
		{nil, "", Options{}, `backend: none is registered; import one, like _ "github.com/weir-ml/weir/backend/cpu"`},
		{nil, "cpu", Options{}, `backend: none is registered; import one, like _ "github.com/weir-ml/weir/backend/cpu"`},
		{[]string{"gpu"}, "", Options{}, "backend: no CPU backend is available; name one of gpu"},
		{[]string{"gpu"}, "cpu", Options{}, `backend: unknown backend "cpu"; have gpu`},
		{[]string{"gpu"}, "gpu:", Options{}, `backend: "gpu:": want a device number after the colon, like gpu:0`},
		{[]string{"gpu"}, "gpu:-1", Options{}, `backend: "gpu:-1": want a device number after the colon, like gpu:0`},
		{[]string{"gpu"}, "gpu", Options{Workers: -1}, "backend: -1 workers and a memory limit of 0 bytes; want 0, for the default, or more"},
	} {
		withDrivers(t, tt.registered, all, func() {
			if _, err := Open(tt.name, tt.options); err == nil || err.Error() != tt.want {
				t.Errorf("Open(%q, %+v): %v; want %s", tt.name, tt.options, err, tt.want)
			}
		})
	}
}

func TestRegisterRefusesNamesThatOpenCouldNotTell(t *testing.T) {
	withDrivers(t, []string{"gpu"}, map[string]fake{"gpu": {}}, func() {
		for _, name := range []string{"gpu", "", "gpu:1"} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("Register(%q) does not panic", name)
					}
				}()
				Register(name, 1, fake{})
			}()
		}
	})
}
