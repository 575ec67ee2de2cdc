package backendtest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// A device that has not caught up with the contract's list passes with what it has, and is not given what it lacks but to see it fail.
func TestADeviceMayDeclareThatItLacksAnInstruction(t *testing.T) {
	t.Parallel()
	tried := 0
	d := &naive{lacks: backend.Softplus, tried: func(*backend.Cmd) error {
		tried++
		return errors.New("softplus is not known here")
	}}
	o := defaults()
	o.short = true
	for _, g := range groups {
		runGroup(g, []*device{{dev: d}}, o, t.Name(), func(_ *device, v violation) { t.Error(v.text) })
	}
	floats := 4
	require.Equal(t, 2*floats, tried, "once for the stream's failure and once for its text, on every float type")
}

func TestWhatADeviceLacksMustFailByName(t *testing.T) {
	for _, test := range []struct {
		name  string
		tried func(*backend.Cmd) error
		want  string
	}{
		{"it is computed", nil, "Sync returns nil; want an error"},
		{"the error does not say what", func(*backend.Cmd) error { return errors.New("no such kernel") }, "want one line that names softplus"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var found []string
			d := &device{dev: &naive{lacks: backend.Softplus, tried: test.tried}}
			runGroup(group{"lacking", lackingCases}, []*device{d}, defaults(), t.Name(), func(_ *device, v violation) { found = append(found, v.text) })
			require.NotEmpty(t, found)
			require.Contains(t, found[0], test.want)
		})
	}
}

// A program of several instructions is supported if each of them is.
func TestSupportsOfAProgramMustFollowFromItsInstructions(t *testing.T) {
	var found []string
	d := &device{dev: picky{&naive{}}}
	runGroup(group{"programs", programCases}, []*device{d}, defaults(), t.Name(), func(_ *device, v violation) { found = append(found, v.text) })
	require.NotEmpty(t, found)
	require.Contains(t, found[0], "Supports is false")
}

// picky does not support programs of more than one instruction.
type picky struct{ *naive }

func (p picky) Supports(c *backend.Cmd) bool { return c.Op != backend.Map || len(c.Prog.Code) <= 1 }
