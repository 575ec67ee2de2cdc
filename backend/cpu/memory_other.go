//go:build !unix

package cpu

import "errors"

const canMap = false

func mapMemory(int) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmapMemory([]byte) {}
