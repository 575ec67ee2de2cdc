// Package cuda is the backend for NVIDIA GPUs.
package cuda
