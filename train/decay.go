package train

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/weir-ml/weir/optim"
)

// Decay says how the exploration of a run goes down, as a text, by the steps done:
//
//	constant (or empty)      stays
//	linear[:STEPS]           falls to 0 along a line, over STEPS or over the whole run
//	cosine[:STEPS]           falls to 0 along half a cosine
//	warm-down:START:END      torchgfn's: stays until START and then is 1 − step/END, so that it drops at START and is 0 from END on
//
// gfn-diffusion's is linear:5000.
type Decay string

// Schedule returns the factor of the exploration at each step of a run of that many steps, nil if it is always 1.
// A text that names no decay is an error.
func (d Decay) Schedule(steps int) (optim.Schedule, error) {
	parts := strings.Split(string(d), ":")
	numbers := make([]int, len(parts)-1)
	for i, part := range parts[1:] {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil, d.unknown()
		}
		numbers[i] = n
	}
	kind := parts[0]
	switch {
	case (kind == "" || kind == "constant") && len(numbers) == 0:
		return nil, nil
	case (kind == "linear" || kind == "cosine") && len(numbers) == 0:
		return d.fall(kind, max(steps, 1))
	case (kind == "linear" || kind == "cosine") && len(numbers) == 1:
		return d.fall(kind, numbers[0])
	case kind == "warm-down" && len(numbers) == 2:
		return d.warmDown(numbers[0], numbers[1])
	}
	return nil, d.unknown()
}

func (d Decay) fall(kind string, steps int) (optim.Schedule, error) {
	if steps < 1 {
		return nil, d.unknown()
	}
	if kind == "cosine" {
		return optim.Cosine(steps, 0), nil
	}
	return optim.Linear(1, 0, steps), nil
}

func (d Decay) warmDown(start, end int) (optim.Schedule, error) {
	if end < 1 {
		return nil, d.unknown()
	}
	fall := optim.Linear(1, 0, end)
	return func(t int) float64 {
		if t < start {
			return 1
		}
		return fall(t)
	}, nil
}

func (d Decay) unknown() error {
	return fmt.Errorf("train: exploration-decay is %q; want constant, linear[:STEPS], cosine[:STEPS] or warm-down:START:END", string(d))
}
