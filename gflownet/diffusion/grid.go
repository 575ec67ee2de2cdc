package diffusion

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Grid says how the steps of a process divide the time from 0 to 1: step i of N begins at t(u), u = i/N. The zero Grid is uniform.
//
//	uniform    t = u
//	cosine     t = sin²(πu/2)             short steps at both ends
//	power:p    t = 1 − (1−u)^p            p > 1: short steps toward time 1, where samples take their shape
//	log:r      t = (1 − r^−u)/(1 − 1/r)   lengths are a geometric series, the first N-th root of r times longer than the second
//
// Grids are compared by ==. Their text form, as above, is what flags and checkpoints hold.
type Grid struct {
	kind  gridKind
	shape float64 // p or r
}

type gridKind uint8

const (
	uniform gridKind = iota
	cosine
	power
	logarithmic
)

var gridNames = [...]string{"uniform", "cosine", "power", "log"}

// CosineGrid returns the grid cosine.
func CosineGrid() Grid { return Grid{kind: cosine} }

// PowerGrid returns the grid power:p, p > 0.
func PowerGrid(p float64) Grid { return Grid{power, p} }

// LogGrid returns the grid log:r, r > 0 and not 1.
func LogGrid(r float64) Grid { return Grid{logarithmic, r} }

// at returns t(u) for 0 < u < 1.
func (g Grid) at(u float64) float64 {
	switch g.kind {
	case cosine:
		s := math.Sin(math.Pi * u / 2)
		return s * s
	case power:
		return 1 - math.Pow(1-u, g.shape)
	case logarithmic:
		l := math.Log(g.shape)
		return math.Expm1(-u*l) / math.Expm1(-l)
	}
	return u
}

// shaped reports whether the grid has a number.
func (g Grid) shaped() bool { return g.kind == power || g.kind == logarithmic }

func (g Grid) check() error {
	if g.shaped() && (!positive(g.shape) || g.kind == logarithmic && g.shape == 1) {
		return fmt.Errorf("diffusion: the grid is %v; want a positive number, other than 1 for log", g)
	}
	return nil
}

// String returns the text form.
func (g Grid) String() string {
	if g.shaped() {
		return gridNames[g.kind] + ":" + strconv.FormatFloat(g.shape, 'g', -1, 64)
	}
	return gridNames[g.kind]
}

// ParseGrid returns the grid of a text form. An unknown one is an error.
func ParseGrid(text string) (g Grid, err error) {
	name, number, numbered := strings.Cut(text, ":")
	for kind, n := range gridNames {
		g = Grid{kind: gridKind(kind)}
		if n != name || g.shaped() != numbered {
			continue
		}
		if !numbered {
			return g, nil
		}
		if g.shape, err = strconv.ParseFloat(number, 64); err != nil {
			break
		}
		return g, g.check()
	}
	return Grid{}, fmt.Errorf("diffusion: unknown time grid %q; want uniform, cosine, power:NUMBER or log:NUMBER", text)
}

// MarshalText returns the text form.
func (g Grid) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText takes the text form.
func (g *Grid) UnmarshalText(text []byte) (err error) {
	*g, err = ParseGrid(string(text))
	return err
}
