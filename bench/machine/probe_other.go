//go:build !linux

package machine

func (f *Facts) probe() {}
