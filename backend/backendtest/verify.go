package backendtest

import (
	"errors"
	"fmt"

	"github.com/weir-ml/weir/backend"
)

// Verify returns an error unless a command did what the contract says. The views of c lie on host memory as it was before; after returns the bytes of
// such a buffer as they were afterwards. What is wrong is said in one line, by the first wrong element.
//
// It is for those who execute a command themselves. Bytes outside of the destinations are not looked at, so c may be a part of a larger
// command: of all its elements, or its rows, those that there is time to predict.
func Verify(c *backend.Cmd, after func(*backend.Buffer) []byte) error {
	if err := c.Check(); err != nil {
		return err
	}
	want, err := predict(c)
	if err != nil {
		return fmt.Errorf("no result can be predicted: %w", err)
	}
	return compareAll(c, want, after)
}

// VerifyProduct is Verify of a matrix product by a device that was opened with a precision of its own, see [backend.Options], and rounds what it multiplies:
// beside what the contract allows, a result may be off by that share of the sum of the magnitudes of its terms. It returns an error that names the first
// element that is off by more.
func VerifyProduct(c *backend.Cmd, after func(*backend.Buffer) []byte, share float64) error {
	if err := c.Check(); err != nil {
		return err
	}
	if c.Op != backend.MatMul {
		return fmt.Errorf("%v is no matrix product", c.Op)
	}
	return compareAll(c, [][]expect{predictMatMul(c, share)}, after)
}

func compareAll(c *backend.Cmd, want [][]expect, after func(*backend.Buffer) []byte) error {
	for k := range c.Dst {
		if why := compareView(c, k, want[k], after(c.Dst[k].Buf)); why != "" {
			return errors.New(why)
		}
	}
	return nil
}
