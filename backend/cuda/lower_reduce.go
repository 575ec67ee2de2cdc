package cuda

import "github.com/weir-ml/weir/backend"

func lowerReduce(b *batch, c *backend.Cmd) { b.fail(errNotLowered) }
