package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	_ "github.com/weir-ml/weir/backend/simd"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

// handler draws from one model, on a stream a request, of which there are as many as requests at a time.
type handler struct {
	model   *train.Model
	streams chan *tensor.Stream
}

// newHandler opens a checkpoint for so many requests at a time; others wait.
func newHandler(path string, atATime int) (*handler, error) {
	device, err := tensor.Open("", backend.Options{})
	if err != nil {
		return nil, err
	}
	h := &handler{streams: make(chan *tensor.Stream, atATime)}
	for range atATime {
		s, err := device.NewStream()
		if err != nil {
			return nil, err
		}
		h.streams <- s
	}
	home := <-h.streams
	defer func() { h.streams <- home }()
	if h.model, err = train.OpenModel(home, path); err != nil {
		return nil, err
	}
	return h, h.model.Freeze()
}

// ServeHTTP answers n samples of a seed: the same whoever else is served meanwhile.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const most = 100_000
	n, err := strconv.Atoi(r.FormValue("n"))
	seed, errSeed := strconv.ParseUint(r.FormValue("seed"), 10, 64)
	if err != nil || errSeed != nil || n < 1 || n > most {
		http.Error(w, fmt.Sprintf("n is %.20q and seed %.20q; want 1 to %d, and a whole number", r.FormValue("n"), r.FormValue("seed"), most), 400)
		return
	}
	var s *tensor.Stream
	select {
	case s = <-h.streams:
		defer func() { h.streams <- s }()
	case <-r.Context().Done(): // the client did not want to wait
		return
	}
	rng := tensor.NewRNG(s, seed)
	defer rng.Release()
	samples, err := h.model.Draw(r.Context(), rng, n, 1000)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	_ = json.NewEncoder(w).Encode(slices.Collect(slices.Chunk(samples, len(h.model.Columns)))) // fails if the client has gone
}
