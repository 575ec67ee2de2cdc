package cuda

import "github.com/weir-ml/weir/backend"

func lowerMatMul(b *batch, c *backend.Cmd) { b.fail(errNotLowered) }
