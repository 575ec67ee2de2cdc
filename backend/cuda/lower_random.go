package cuda

import "github.com/weir-ml/weir/backend"

func lowerRandom(b *batch, c *backend.Cmd) { b.fail(errNotLowered) }
