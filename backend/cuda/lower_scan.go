package cuda

import "github.com/weir-ml/weir/backend"

func lowerScan(b *batch, c *backend.Cmd) { b.fail(errNotLowered) }
