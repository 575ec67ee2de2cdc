package diffusion

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Params are the numbers that a named target is made from.
type Params map[string]float64

// Int returns a parameter that must be a whole number from least to most. Another number is an error.
func (p Params) Int(key string, least, most int) (int, error) {
	x := p[key]
	if x != math.Trunc(x) || x < float64(least) || x > float64(most) {
		return 0, fmt.Errorf("%s is %v; want a whole number from %d to %d", key, x, least, most)
	}
	return int(x), nil
}

// positive returns an error unless those parameters are positive and finite.
func (p Params) positive(keys ...string) error {
	for _, key := range keys {
		if x := p[key]; !positive(x) {
			return fmt.Errorf("%s is %v; want a positive number", key, x)
		}
	}
	return nil
}

// String prints the parameters in the syntax of [NewTarget], sorted.
func (p Params) String() string {
	parts := make([]string, 0, len(p))
	for _, key := range slices.Sorted(maps.Keys(p)) {
		parts = append(parts, key+"="+strconv.FormatFloat(p[key], 'g', -1, 64))
	}
	return strings.Join(parts, ",")
}

// recipe makes a target.
type recipe struct {
	defaults Params
	open     func(Params) (Target, error)
}

var registry = struct {
	sync.RWMutex
	recipes map[string]recipe
}{recipes: map[string]recipe{}}

// RegisterTarget makes a target known to [NewTarget], and so to training, checkpoints and the command, by a name. defaults are its parameters; open
// gets them all, those that the user gave replaced. It panics if the name is taken or empty, or holds a space or one of the characters
// :,= and /, and if open is nil.
func RegisterTarget(name string, defaults Params, open func(Params) (Target, error)) {
	registry.Lock()
	defer registry.Unlock()
	if name == "" || strings.ContainsAny(name, ":,=/ ") || open == nil {
		panic(fmt.Sprintf("diffusion: cannot register a target as %q", name))
	}
	if _, taken := registry.recipes[name]; taken {
		panic(fmt.Sprintf("diffusion: target %q is registered twice", name))
	}
	registry.recipes[name] = recipe{maps.Clone(defaults), open}
}

// Targets returns the names that NewTarget knows, sorted.
func Targets() []string {
	registry.RLock()
	defer registry.RUnlock()
	return slices.Sorted(maps.Keys(registry.recipes))
}

// TargetParams returns the parameters of a named target with their defaults, empty if it has none or is not known.
func TargetParams(name string) Params {
	registry.RLock()
	defer registry.RUnlock()
	return maps.Clone(registry.recipes[name].defaults)
}

// NewTarget returns a registered target. spec is its name, or its name and parameters, as in "many_well:dim=8" or "funnel:dim=3,std=2".
// An unknown name or parameter, or one out of range, is an error.
func NewTarget(spec string) (Target, error) {
	name, list, parameters := strings.Cut(spec, ":")
	registry.RLock()
	r, ok := registry.recipes[name]
	registry.RUnlock()
	if !ok {
		return nil, fmt.Errorf("diffusion: unknown target %q; have %s", name, strings.Join(Targets(), ", "))
	}
	if parameters && list == "" {
		return nil, fmt.Errorf("diffusion: target %q ends in a colon; want parameters after it, or none", spec)
	}
	params, err := r.params(list)
	if err != nil {
		return nil, fmt.Errorf("diffusion: target %s: %w", name, err)
	}
	target, err := r.open(params)
	if err != nil {
		return nil, fmt.Errorf("diffusion: target %s: %w", name, err)
	}
	return target, nil
}

// params returns the defaults with what list, such as "dim=3,std=2", sets.
func (r recipe) params(list string) (Params, error) {
	p := Params{}
	maps.Copy(p, r.defaults)
	if list == "" {
		return p, nil
	}
	for _, part := range strings.Split(list, ",") {
		key, text, _ := strings.Cut(part, "=")
		if _, known := r.defaults[key]; !known {
			if len(r.defaults) == 0 {
				return nil, fmt.Errorf("there is no parameter %q; it has none", key)
			}
			return nil, fmt.Errorf("there is no parameter %q; have %v", key, r.defaults)
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
			return nil, fmt.Errorf("%s is %q; want a number", key, text)
		}
		p[key] = value
	}
	return p, nil
}

func init() {
	registerMixtures()
	RegisterTarget("easy_funnel", Params{"dim": 10, "std": 1}, openFunnel)
	RegisterTarget("hard_funnel", Params{"dim": 10, "std": 3}, openFunnel)
	RegisterTarget("many_well", Params{"dim": 32}, openManyWell)
	RegisterTarget("rings", Params{"rings": 4, "std": 0.15}, openRings)
	RegisterTarget("rosenbrock", Params{"blocks": 1, "length": 2, "mu": 1, "a": 0.05, "b": 5}, openRosenbrock)
	RegisterTarget("student_t", Params{"dim": 2, "components": 10, "df": 2, "spread": 10, "seed": 0}, openStudentT)
	RegisterTarget("log_gaussian_cox", Params{"side": 40, "seed": 0}, openCoxProcess)
}
