// Package machine says what a benchmark ran on, and measures what that machine can do at the most: multiply-adds from registers and the bandwidth of
// its memory.
package machine

import (
	"runtime"
	"runtime/debug"
	"time"
)

// Facts are what numbers of speed hold for. What could not be found out is empty or 0.
type Facts struct {
	Date      time.Time `json:"date"`
	Processor string    `json:"processor"`
	Cores     int       `json:"cores"` // that the process may use
	L1        int64     `json:"l1_bytes,omitempty"`
	L2        int64     `json:"l2_bytes,omitempty"`
	L3        int64     `json:"l3_bytes,omitempty"`
	Memory    int64     `json:"memory_bytes,omitempty"`
	OS        string    `json:"os"`
	Arch      string    `json:"arch"`
	Go        string    `json:"go"`
	Revision  string    `json:"revision,omitempty"` // of the sources
}

// Describe returns the facts of this machine and process.
func Describe() Facts {
	f := Facts{
		Date: time.Now().UTC().Truncate(time.Second), Cores: runtime.GOMAXPROCS(0),
		OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version(), Revision: revision(),
	}
	f.probe()
	if f.Processor == "" {
		f.Processor = runtime.GOARCH
	}
	return f
}

// revision returns the commit that the program was built from, marked if the sources were changed since.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	commit := settings["vcs.revision"]
	if commit = commit[:min(len(commit), 12)]; commit != "" && settings["vcs.modified"] == "true" {
		commit += "+"
	}
	return commit
}
