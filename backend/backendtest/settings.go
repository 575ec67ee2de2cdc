package backendtest

import (
	"flag"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// settings say what a run draws and which part of it is executed. A violation prints those that repeat it.
type settings struct {
	seed     uint64
	short    bool    // only a sample of the cases
	number   int     // the one case of the group to execute; 0 is all
	commands int     // length of the random program of commands
	keep     numbers // the commands of that program to execute; none is all
}

// flags are the settings of the command line of a test. Programs that call Verify have flags of their own.
var flags = func() *settings {
	s := defaults()
	if testing.Testing() {
		s.register(flag.CommandLine)
	}
	return s
}()

func defaults() *settings { return &settings{seed: 1, commands: 1000} }

func (s *settings) register(set *flag.FlagSet) {
	set.Uint64Var(&s.seed, "backendtest.seed", s.seed, "seed of the data that backendtest draws")
	set.IntVar(&s.number, "backendtest.case", s.number, "the one case of a group of backendtest to execute; 0 is all")
	set.IntVar(&s.commands, "backendtest.commands", s.commands, "length of the random command program of backendtest")
	set.Var(&s.keep, "backendtest.keep", "the commands of that program to execute, like 3,17; none is all")
}

// rerun returns the command that repeats a case of the group that the named subtest runs.
func (s *settings) rerun(test string, number int, keep numbers) string {
	parts := strings.Split(test, "/")
	for i := range parts {
		parts[i] = "^" + regexp.QuoteMeta(parts[i]) + "$"
	}
	command := fmt.Sprintf("go test -run '%s' -backendtest.seed=%d -backendtest.case=%d", strings.Join(parts, "/"), s.seed, number)
	if s.short {
		command += " -short"
	}
	if len(keep) > 0 {
		command += fmt.Sprintf(" -backendtest.commands=%d -backendtest.keep=%v", slices.Max(keep), keep.String())
	}
	return command
}

// subtestName returns what package testing makes of a subtest's name.
func subtestName(name string) string { return strings.ReplaceAll(name, " ", "_") }

// numbers is a flag: a list of numbers with commas between.
type numbers []int

// String prints the list as Set reads it.
func (ns *numbers) String() string {
	texts := make([]string, len(*ns))
	for i, n := range *ns {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ",")
}

// Set replaces the list.
func (ns *numbers) Set(text string) error {
	*ns = nil
	for _, word := range strings.Split(text, ",") {
		n, err := strconv.Atoi(word)
		if err != nil {
			return fmt.Errorf("want numbers with commas between: %w", err)
		}
		*ns = append(*ns, n)
	}
	return nil
}
