package cuda

import "github.com/weir-ml/weir/backend"

func lowerCopy(b *batch, c *backend.Cmd) { b.fail(errNotLowered) }
