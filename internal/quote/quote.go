// Package quote quotes texts that come from files, for error messages.
package quote

import "strconv"

// Short returns s as a Go string literal. A long one is cut, so that a hostile file cannot fill the screen.
func Short(s string) string {
	const limit = 80 // bytes
	if len(s) > limit {
		return strconv.Quote(s[:limit]) + "…"
	}
	return strconv.Quote(s)
}
