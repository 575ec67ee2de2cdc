package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

// newServed returns a handler of a small checkpoint whose paths have that many steps.
func newServed(t *testing.T, numSteps, atATime int) *handler {
	t.Helper()
	device, err := tensor.Open("cpu", backend.Options{})
	require.NoError(t, err)
	s, err := device.NewStream()
	require.NoError(t, err)
	e, err := train.NewExperiment(s, train.Config{
		Target: "gmm2", Seed: 5, Process: diffusion.Process{NumSteps: numSteps}, Net: diffusion.NetConfig{Harmonics: 4, Embed: 8, Hidden: 8, JointLayers: 1},
	})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "run.safetensors")
	require.NoError(t, e.Save(path))
	h, err := newHandler(path, atATime)
	require.NoError(t, err)
	return h
}

// get returns the status and the body of an answer.
func get(url string) (status int, body string, err error) {
	r, err := http.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	return r.StatusCode, string(text), err
}

func TestConcurrentAnswersAreThoseOfTheirSeeds(t *testing.T) {
	const requests = 32
	server := httptest.NewServer(newServed(t, 8, 4))
	defer server.Close()
	url := func(seed int) string { return fmt.Sprintf("%s/?n=%d&seed=%d", server.URL, 20+seed, seed) }
	var want, got [requests]string
	for seed := range want {
		status, body, err := get(url(seed))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, 20+seed, strings.Count(body, "],[")+1)
		want[seed] = body
	}
	require.NotEqual(t, want[0], want[1])
	var group sync.WaitGroup
	for seed := range got {
		group.Go(func() {
			_, body, err := get(url(seed))
			if err != nil {
				t.Error(err)
			}
			got[seed] = body
		})
	}
	group.Wait()
	require.Equal(t, want, got)
}

func TestBadRequestsAreOneLine(t *testing.T) {
	server := httptest.NewServer(newServed(t, 2, 1))
	defer server.Close()
	for _, query := range []string{"", "n=3", "n=0&seed=1", "n=-1&seed=1", "n=100001&seed=1", "n=two&seed=1", "n=2&seed=-1", "n=1e999&seed=1", "n=" + strings.Repeat("9", 1000) + "&seed=1"} {
		status, body, err := get(server.URL + "/?" + query)
		require.NoError(t, err)
		require.Equal(t, http.StatusBadRequest, status, query)
		require.Regexp(t, `^n is "[^\n]*" and seed "[^\n]*"; want 1 to 100000, and a whole number\n$`, body)
		require.Less(t, len(body), 120)
	}
	status, _, err := get(server.URL + "/?n=1&seed=18446744073709551615")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
}

// A client that has gone ends the drawing of its samples, and leaves the stream to others.
func TestAClientThatGoesIsNotWorkedFor(t *testing.T) {
	h := newServed(t, 1<<16, 1) // paths of seconds
	ended := make(chan int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		ended <- rec.Code
	}))
	defer server.Close()
	ctx, goAway := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/?n=100000&seed=1", nil)
	require.NoError(t, err)
	gone := make(chan error)
	go func() {
		_, err := http.DefaultClient.Do(r)
		gone <- err
	}()
	require.Eventually(t, func() bool { return len(h.streams) == 0 }, 10*time.Second, time.Millisecond, "the drawing begins")
	goAway()
	require.ErrorIs(t, <-gone, context.Canceled)
	require.Equal(t, http.StatusServiceUnavailable, <-ended, "100,000 samples were not drawn")
	require.Len(t, h.streams, 1)

	s := <-h.streams // all are in use: one who waits, and goes, is not waited for
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/?n=1&seed=1", nil))
	h.streams <- s
}

func TestShutdownCompletesWhatHasBegun(t *testing.T) {
	h := newServed(t, 4, 1)
	begun, finish := make(chan struct{}), make(chan struct{})
	l, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- serve(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(begun)
			<-finish
			h.ServeHTTP(w, r)
		}))
	}()
	url := "http://" + l.Addr().String() + "/?n=3&seed=1"
	type answer struct {
		status int
		body   string
		err    error
	}
	answered := make(chan answer, 1)
	go func() {
		status, body, err := get(url)
		answered <- answer{status, body, err}
	}()
	<-begun
	stop()
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			c.Close()
		}
		return err != nil
	}, 10*time.Second, time.Millisecond, "no new ones are let in")
	require.Empty(t, served, "one is being answered")
	close(finish)
	a := <-answered
	require.NoError(t, a.err)
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, 3, strings.Count(a.body, "],[")+1)
	require.NoError(t, <-served)
}

func TestWhatIsNoCheckpointIsNotServed(t *testing.T) {
	_, err := newHandler(filepath.Join(t.TempDir(), "absent"), 1)
	require.ErrorContains(t, err, "absent")
}
