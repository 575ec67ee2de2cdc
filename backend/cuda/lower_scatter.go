package cuda

import "github.com/weir-ml/weir/backend"

func lowerScatterAdd(b *batch, c *backend.Cmd) { b.fail(errNotLowered) }
