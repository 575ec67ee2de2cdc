package cuda

import "github.com/weir-ml/weir/backend"

func lowerMap(b *batch, c *backend.Cmd) { b.fail(errNotLowered) }
