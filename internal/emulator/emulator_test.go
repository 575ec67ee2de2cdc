package emulator_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/internal/emulator"
)

func TestBuiltOnce(t *testing.T) {
	emulator.Need(t)
	s, err := emulator.Committed()
	require.NoError(t, err)
	first, err := s.Build()
	require.NoError(t, err)
	again, err := s.Build()
	require.NoError(t, err)
	require.Equal(t, first, again)
}
