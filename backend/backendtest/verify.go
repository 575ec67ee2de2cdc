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
	for k := range c.Dst {
		if why := compareView(c, k, want[k], after(c.Dst[k].Buf)); why != "" {
			return errors.New(why)
		}
	}
	return nil
}
