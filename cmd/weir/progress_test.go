package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestPaceShowsTheFirstTheLastAndFewBetween(t *testing.T) {
	p := pace{first: 3, last: 9, start: time.Now()}
	var shown []int
	for step := 3; step <= 9; step++ {
		if p.due(step, time.Hour) {
			shown = append(shown, step)
		}
	}
	require.Equal(t, []int{3, 9}, shown)
	require.True(t, p.due(5, 0))
}

func TestPaceCountsOnlyItsOwnSteps(t *testing.T) {
	p := pace{first: 101, last: 120, start: time.Now().Add(-10 * time.Second)}
	rate, left := p.rate(110)
	require.InDelta(t, 1, rate, 0.1)
	require.InDelta(t, 10*time.Second, left, float64(time.Second))
}

func TestBarFitsInALine(t *testing.T) {
	var out bytes.Buffer
	b := newBar(pace{first: 1001, last: 1500, start: time.Now()}, &out)
	require.NoError(t, b.step(metric{Step: 1001, Loss: -123.4567}))
	require.NoError(t, b.step(metric{Step: 1500, Loss: 76.54321}))
	b.end()
	require.Contains(t, out.String(), "step 1500/1500  loss 76.543 100% ")
	require.Contains(t, out.String(), "steps/s")
	require.True(t, strings.HasSuffix(out.String(), "\n"))
	for line := range strings.SplitSeq(strings.TrimSpace(out.String()), "\r") {
		require.LessOrEqual(t, utf8.RuneCountInString(line), 80, line)
	}
}
