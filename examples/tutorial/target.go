package main

import (
	"math"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/expr"
)

// banana is the log reward at (x, y): a Gaussian in x of deviation 1.5, and around the parabola 0.4·x² a narrower one in y.
var banana = expr.New2("banana", func(x, y expr.Expr) expr.Expr {
	along := x.DivScalar(1.5)
	across := y.Sub(x.Square().MulScalar(0.4)).DivScalar(0.5)
	return along.Square().Add(across.Square()).MulScalar(-0.5)
})

// Banana is a crescent in two dimensions.
type Banana struct{}

// Dim returns 2.
func (Banana) Dim() int { return 2 }

// LogReward returns the log reward (B) of points (B, 2).
func (Banana) LogReward(points *autograd.Var) *autograd.Var {
	x, y := autograd.Select(points, 1, 0), autograd.Select(points, 1, 1) // (B) each
	return autograd.Apply(banana, x, y)
}

// LogZ returns the log of the reward's integral: bending a Gaussian along a parabola keeps its area.
func (Banana) LogZ() float64 { return math.Log(2 * math.Pi * 1.5 * 0.5) }
