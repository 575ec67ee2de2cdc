package cuda

import "github.com/weir-ml/weir/backend"

func lowerGather(b *batch, c *backend.Cmd) { b.fail(errNotLowered) }
