package cuda

import "github.com/weir-ml/weir/backend"

func lowerSort(b *batch, c *backend.Cmd) { b.fail(errNotLowered) }
